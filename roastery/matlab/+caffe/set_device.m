function set_device(device_id)
% set_device(device_id)
%   Choose the GPU by its number, from 0 on.

caffe.internal.check(isnumeric(device_id) && isscalar(device_id) ...
  && isreal(device_id) && device_id >= 0 && device_id == fix(device_id), ...
  'device_id must be non-negative integer');
caffe.internal.call('set_device', double(device_id));

end
