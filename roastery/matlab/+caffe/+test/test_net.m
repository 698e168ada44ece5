function results = test_net()
% results = test_net()
%   Tests of nets. Caffe: matlab/+caffe/+test/test_net.m

results = caffe.test.run_cases('test_net', @set_up, { ...
  'blob', @test_blob, ...
  'layer', @test_layer, ...
  'forward_backward', @test_forward_backward, ...
  'inputs_outputs', @test_inputs_outputs, ...
  'save_and_read', @test_save_and_read, ...
  'get_net', @test_get_net});

end

function net = set_up()
file = caffe.test.small_net(13);
net = caffe.Net(file, 'train');
delete(file);
net.blobs('label').set_data(randi(12, net.blobs('label').shape));
end

function test_blob(net)
shape = net.blobs('data').shape;
caffe.test.same(shape, [4 3 2 5]);
net.blobs('data').set_data(10 * ones(shape));
caffe.test.same(net.blobs('data').get_data(), 10 * ones(shape, 'single'));
net.blobs('data').set_diff(-2 * ones(shape));
caffe.test.same(net.blobs('data').get_diff(), -2 * ones(shape, 'single'));
caffe.test.same(net.blobs('data').get_data(), 10 * ones(shape, 'single'));
net.blobs('data').reshape([6 5 4 3 2 1]);
caffe.test.same(net.blobs('data').shape, [6 5 4 3 2 1]);
net.blobs('data').reshape(shape);
net.reshape();
caffe.test.same(net.blobs('data').shape, shape);
end

function test_layer(net)
caffe.test.same(net.params('conv', 1).shape, [2 2 2 11]);
caffe.test.same(net.layers('conv').params(2).shape, 11);
caffe.test.same(net.layers('conv').type(), 'Convolution');
caffe.test.same(net.params('conv', 2).get_data(), 2 * ones(11, 1, 'single'));
end

function test_forward_backward(net)
net.forward_prefilled();
net.backward_prefilled();
diff = net.blobs('data').get_diff();
caffe.test.same(size(diff), [4 3 2 5]);
caffe.internal.check(all(isfinite(diff(:))), 'the gradient is not finite');
end

function test_inputs_outputs(net)
caffe.test.same(net.inputs, cell(0, 1));
caffe.test.same(net.outputs, {'loss'});
end

function test_save_and_read(net)
weights = [tempname(), '.caffemodel'];
file = caffe.test.small_net(13);
net.save(weights);
copied = caffe.Net(file, 'train');
copied.copy_from(weights);
read = caffe.Net(file, weights, 'train');
delete(file);
delete(weights);
for l = 1:length(net.layer_vec)
  for n = 1:length(net.layer_vec(l).params)
    saved = net.layer_vec(l).params(n).get_data();
    caffe.test.same(copied.layer_vec(l).params(n).get_data(), saved);
    caffe.test.same(read.layer_vec(l).params(n).get_data(), saved);
  end
end
end

function test_get_net(~)
file = caffe.test.small_net(7);
net = caffe.get_net(file, 'test');
delete(file);
caffe.test.same(net.blobs('ip').shape, [7 5]);
end
