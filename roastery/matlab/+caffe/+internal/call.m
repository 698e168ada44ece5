function result = call(command, varargin)
% result = call(command, argument, ...)
%   Run one of Roastery's commands; roastery/matlab/calls.py has them. What is
%   wrong is an error here, in Roastery's words.

persistent bridge
for n = 1:numel(varargin)
  if ischar(varargin{n}) && any(varargin{n}(:) == 0)
    error('Roastery:error', 'a string holds a character 0');
  end
end
if isempty(bridge)
  bridge = caffe.internal.start();
end
if strcmp(bridge, 'mex')
  [failure, result] = caffe_('call', command, varargin{:});
else
  [failure, result] = caffe.internal.call_py(command, varargin{:});
end
if isstruct(failure)
  if strcmp(failure.identifier, 'Roastery:interrupted')
    pause(0.1);  % here Octave, which noted the signal, stops what runs: no try catches it
  end
  error(failure.identifier, '%s', failure.message);
end

end
