function bridge = start()
% bridge = start()
%   Start Python, once in a session: through the MEX file where there is one,
%   else, in MATLAB, through its own bridge.
%   returns 'mex' or 'py'

folder = fileparts(fileparts(fileparts(mfilename('fullpath'))));  % the one on the path
if exist(fullfile(folder, ['caffe_.' mexext()]), 'file')
  places = caffe.internal.python_places(folder);
  failure = caffe_('start', places{:});
  if isstruct(failure)
    error(failure.identifier, '%s', failure.message);
  end
  bridge = 'mex';
elseif exist('OCTAVE_VERSION', 'builtin')
  error('Roastery:start', ['the MEX file of +caffe has not been built\n' ...
    '  hint: run `roastery matlab --build` in a shell']);
else
  try
    py.importlib.import_module('roastery.matlab.py_bridge');
  catch reason
    error('Roastery:start', '%s', sprintf(['MATLAB''s Python cannot import ' ...
      'roastery: %s\n  hint: run `roastery matlab --build` in a shell, or ' ...
      'pyenv(''Version'', ''/path/to/venv/bin/python'') before anything else'], ...
      reason.message));
  end
  bridge = 'py';
end

end
