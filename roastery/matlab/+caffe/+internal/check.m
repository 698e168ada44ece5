function check(condition, format, varargin)
% check(condition, format, ...)
%   An error, unless the condition holds.

if ~condition
  error('Roastery:use', '%s', sprintf(format, varargin{:}));
end

end
