function places = python_places(folder)
% places = python_places(folder)
%   Where Python is: what `roastery matlab --build` wrote beside the MEX file,
%   or what the roastery on the PATH says.
%   returns {libpython, executable, library, folder of roastery}

file = fullfile(folder, 'caffe_.python');
if exist(file, 'file')
  text = fileread(file);
else
  [status, text] = system('roastery matlab --places');
  if status ~= 0
    error('Roastery:start', ['%s is missing, and there is no roastery on the ' ...
      'PATH\n  hint: run `roastery matlab --build` again'], file);
  end
end
places = strsplit(strtrim(text), sprintf('\n'));
if numel(places) ~= 4
  error('Roastery:start', ['%s should have four lines\n' ...
    '  hint: run `roastery matlab --build` again'], file);
end

end
