function release(command, handle)
% release(command, handle)
%   Let go of what a handle refers to. Objects that go raise no errors.

if isempty(handle)
  return
end
try
  caffe.internal.call(command, handle);
catch
end

end
