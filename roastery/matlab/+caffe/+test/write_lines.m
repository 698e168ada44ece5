function write_lines(file, lines)
% write_lines(file, lines)
%   A text file of the strings in a cell array.

id = fopen(file, 'w');
caffe.internal.check(id >= 0, '%s cannot be written', file);
fprintf(id, '%s\n', lines{:});
fclose(id);

end
