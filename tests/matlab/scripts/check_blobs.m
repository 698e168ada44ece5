% Shapes, values and the order of dimensions.

same = @caffe.test.same;
net = caffe.Net('shapes.prototxt', 'test');

% width x height x channels x num, and fewer dimensions as they are
same(net.inputs, {'data'; 'scale'});
same(net.outputs, {'copied'; 'sum'});
data = net.blobs('data');
same(data.shape, [5 4 3 2]);
same(net.blobs('scale').shape, 3);
same(net.blobs('sum').shape, zeros(1, 0));
same(size(net.blobs('sum').get_data()), [1 1]);
same(size(net.blobs('scale').get_data()), [3 1]);

% the first dimension is the fastest
values = reshape(1:120, [5 4 3 2]);
data.set_data(values);
same(data.get_data(), single(values));
same(data.get_diff(), zeros(5, 4, 3, 2, 'single'));
data.set_diff(int8(ones(5, 4, 3, 2)));
same(data.get_diff(), ones(5, 4, 3, 2, 'single'));

% ones at the end of sizes count for nothing, on either side
data.reshape([5 4 3 1]);
same(data.shape, [5 4 3 1]);
data.set_data(ones(5, 4, 3));
same(size(data.get_data()), [5 4 3]);
data.reshape([5 1 1 1]);
data.set_data((1:5)');
same(data.get_data(), single((1:5)'));
fails(@() data.set_data(1:5), 'input data/diff size: \[ 1 5 1 1 \] vs');
net.blobs('scale').set_data(sparse([1 0 2]'));
same(net.blobs('scale').get_data(), single([1 0 2]'));
same(net.blobs('sum').shape, zeros(1, 0));

% what fits no array of MATLAB's as it is: six axes, none, a size of 0
data.reshape([6 5 4 3 2 1]);
same(data.shape, [6 5 4 3 2 1]);
same(size(data.get_data()), [6 5 4 3 2]);
data.reshape([]);
same(data.shape, zeros(1, 0));
data.set_data(7);
same(data.get_data(), single(7));
data.reshape([4 0]);
same(size(data.get_data()), [4 0]);
data.set_data(zeros(4, 0));
data.reshape(single([5 4 3 2]));
net.reshape();

% a pass, and what comes of it
data.set_data(values);
net.blobs('scale').set_data([1; 10; 100]);
out = net.forward({values, [1; 10; 100]});
same(size(out), [2 1]);
scaled = single(values .* reshape([1 10 100], [1 1 3]));
same(out{1}, scaled);
same(out{2}, sum(scaled(:)));
found = net.get_output();
same(found(1).blob_name, 'copied');
same(found(1).data, scaled);
net.net_clear_param_diff();
grads = net.backward({zeros(5, 4, 3, 2), 1});
same(grads{1}, single(ones(5, 4, 3, 2) .* reshape([1 10 100], [1 1 3])));

% another number of pictures, and sizes that arrays tell
data.reshape([5 4 3 1]);
net.reshape();
same(net.blobs('both').shape, [5 4 3 1]);
net.reshape_as_input({ones(5, 4, 3, 7), []});
same(net.blobs('both').shape, [5 4 3 7]);
net.set_input_data({ones(5, 4, 3, 7), [1; 2; 3]});
net.forward_prefilled();
same(net.blobs('sum').get_data(), single(5 * 4 * 7 * 6));

% blobs and layers by number and by name; lists as arrays of objects
same(length(net.layer_vec), numel(net.layer_names));
same(length(net.blob_vec), numel(net.blob_names));
same(net.blob_vec(net.name2blob_index('both')).shape, [5 4 3 7]);
same(net.blob_vec(end).shape, net.blobs(net.blob_names{end}).shape);
same(numel(net.blob_vec(1:2)), 2);
same(size(net.blob_vec), [1 numel(net.blob_names)]);
same(net.layer_vec(net.name2layer_index('both')).type, 'Scale');
same(net.layers('total').type(), 'Reduction');
same(isempty(net.layers('total').params), true);
both = net.name2layer_index('both');
same(net.blob_names(net.bottom_id_vecs{both})', {'data', 'scale'});
same(net.blob_names(net.top_id_vecs{both}), {'both'});
other = net.blobs('both');
other.set_data(3 * ones(5, 4, 3, 7));
data.copy_data_from(other);
same(data.get_data(), 3 * ones(5, 4, 3, 7, 'single'));
