function text = text_of(value, name)
% text = text_of(value, name)
%   A row of characters; MATLAB's strings become one. name is for the error.

if isa(value, 'string') && isscalar(value)
  value = char(value);
end
caffe.internal.check(ischar(value) && (isrow(value) || isempty(value)), ...
  '%s must be a string', name);
text = value;

end
