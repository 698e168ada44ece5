function file = file_of(value, name)
% file = file_of(value, name)
%   The name of a file that is there. name is for the error.

file = caffe.internal.text_of(value, name);
caffe.internal.check(~isempty(file), '%s must not be empty', name);
caffe.internal.check(exist(file, 'file') ~= 0, '%s does not exist', file);

end
