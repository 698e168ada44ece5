function serve_scripts()
% serve_scripts()
%   Run the scripts whose names come on standard input, each in its folder and
%   from a fresh start of Roastery's objects; after each print how it went.

while true
  file = next_line();
  if isempty(file)
    return
  end
  told = 'passed';
  try
    run_one(file);
  catch reason
    told = ['failed: ' reason.message];
    for n = 1:numel(reason.stack)
      told = sprintf('%s\n  %s:%d', told, reason.stack(n).name, reason.stack(n).line);
    end
  end
  fclose('all');
  caffe.internal.call('reset');
  fprintf('\n==== %s\n====\n', told);
  fflush(stdout);
end

end

function run_one(file)
cd(fileparts(file));
source(file);
end

function line = next_line()
% fgetl would wait for what follows the line
line = '';
while true
  c = fread(stdin, 1, 'char');
  if isempty(c) || c == 10
    return
  end
  line(end + 1) = char(c);
end
end
