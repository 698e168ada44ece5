function fails(what, pattern)
% fails(what, pattern)
%   what() must raise an error of Roastery's whose message has the pattern.

message = '';
try
  what();
catch reason
  message = reason.message;
  if isempty(strfind(reason.identifier, 'Roastery:'))
    error('%s raised %s: %s', func2str(what), reason.identifier, message);
  end
end
if isempty(message)
  error('%s raised nothing', func2str(what));
elseif isempty(regexp(message, pattern, 'once'))
  error('%s said "%s", not "%s"', func2str(what), message, pattern);
end

end
