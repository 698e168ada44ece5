function [data_size, label_size] = store_hdf5(file, data, labels, create, start, chunk)
% [data_size, label_size] = store_hdf5(file, data, labels, create, start, chunk)
%   As store2hdf5, all given. start is [] or a struct with dat and lab.

file = caffe.internal.text_of(file, 'filename');
caffe.internal.check((isnumeric(data) || islogical(data)) && isreal(data), ...
  'data must be real numbers');
caffe.internal.check((isnumeric(labels) || islogical(labels)) && isreal(labels), ...
  'labels must be real numbers');
caffe.internal.check(isnumeric(chunk) && isscalar(chunk) && chunk >= 1 ...
  && chunk == fix(chunk), 'chunksz must be positive integer');
caffe.internal.check(isscalar(create) && (isnumeric(create) || islogical(create)), ...
  'create must be true or false');
data_at = [];
labels_at = [];
if ~isempty(start)
  caffe.internal.check(isstruct(start) && isscalar(start) ...
    && isfield(start, 'dat') && isfield(start, 'lab'), ...
    'startloc must be a struct with the fields dat and lab');
  data_at = double(start.dat);
  labels_at = double(start.lab);
end
label_dims = size(labels);
count = label_dims(end);
data_dims = size(data);
if data_dims(end) ~= count && count == 1
  data_dims = [data_dims, ones(1, max(1, 4 - numel(data_dims)))];
end
caffe.internal.check(data_dims(end) == count, ...
  'data has %d samples and labels %d', data_dims(end), count);
sizes = caffe.internal.call('store_hdf5', file, double(logical(create)), double(chunk), ...
  single(full(data)), data_dims, data_at, single(full(labels)), label_dims, labels_at);
data_size = sizes.data;
label_size = sizes.label;

end
