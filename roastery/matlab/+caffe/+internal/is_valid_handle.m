function valid = is_valid_handle(handle, kind)
% valid = is_valid_handle(handle, kind)
%   Whether something is a handle of a 'Net', 'Solver', 'Layer' or 'Blob' that
%   is still there. A handle is a struct:
%     (uint64) ptr       the number of what it refers to
%     (double) init_key  another one after each caffe.reset_all()

valid = isstruct(handle) && isscalar(handle) && isfield(handle, 'ptr') ...
  && isfield(handle, 'init_key') && isa(handle.ptr, 'uint64') ...
  && isscalar(handle.ptr) && isa(handle.init_key, 'double') ...
  && isscalar(handle.init_key) ...
  && caffe.internal.call('knows', kind, handle) == 1;

end
