% Layers, blobs, parameters and test nets stand in arrays, and scripts use them so.

same = @caffe.test.same;
file = caffe.test.small_net(3);
net = caffe.Net(file, 'train');
names = net.blob_names';

% sizes and classes
same(class(net.layer_vec), 'caffe.Layer');
same(class(net.blob_vec), 'caffe.Blob');
same(isa(net.blob_vec, 'handle'), true);
same(size(net.blob_vec), [1 5]);
same([length(net.layer_vec), numel(net.layer_vec), columns(net.layer_vec)], [4 4 4]);
same(isempty(net.layer_vec), false);
none = net.layers('data').params;
same({size(none), class(none), isempty(none), length(none)}, {[0 0], 'caffe.Blob', true, 0});
same(size(net.layers('conv').params), [1 2]);
same(size(net.blobs('data')), [1 1]);

% one by one
count = 0;
for i = 1:length(net.layer_vec)
  for j = 1:length(net.layer_vec(i).params)
    count = count + numel(net.layer_vec(i).params(j).get_data());
  end
end
same(count, 8 * 11 + 11 + 11 * 8 * 9 * 3 + 3);
same(net.layer_vec(end).type, 'SoftmaxWithLoss');
same(net.layer_vec(end - 1).params(end).shape, 3);
same(net.blob_vec(1).shape(), [4 3 2 5]);
net.layer_vec(2).params(1).set_data(7 * ones(2, 2, 2, 11));
same(net.params('conv', 1).get_data()(end), single(7));
place = net.blob_vec(end:-1:1)(2);
same(place.shape, net.blobs('ip').shape);

% several at once
same(size(net.blob_vec(2:3)), [1 2]);
same(size(net.blob_vec(logical([1 0 1 0 0]))), [1 2]);
same(size(net.blob_vec([])), [0 0]);
same(size(net.blob_vec(:)), [5 1]);
same(cellfun(@numel, {net.layer_vec.params}), [0 2 2 0]);
[none, two] = net.layer_vec(1:2).params;
same([numel(none), numel(two)], [0 2]);

% functions over all of them
same(arrayfun(@(b) numel(b.shape), net.blob_vec), [4 4 4 2 0]);
same(arrayfun(@(l) l.type(), net.layer_vec(2:3), 'UniformOutput', false), ...
  {'Convolution', 'InnerProduct'});
same(arrayfun(@(n, b) n * b.shape()(1), [1 10], net.blob_vec(1:2)), [4 10]);
[least, most] = arrayfun(@(b) deal(min(b.shape), max(b.shape)), net.blob_vec(1:2));
same([least; most], [2 1; 5 5]);
same(arrayfun(@(b) error('no'), net.blob_vec, 'ErrorHandler', @(e, b) numel(b.shape)), ...
  [4 4 4 2 0]);
arrayfun(@(b) b.set_diff(ones([b.shape, 1, 1])), net.blob_vec);
same(net.blob_vec(3).get_diff()(end), single(1));
same(cellfun(@(name) prod(net.blobs(name).shape), names(1:2)), [120 5]);
same(sum(arrayfun(@(l) sum(arrayfun(@(p) prod(p.shape), l.params)), net.layer_vec)), count);

% they join and grow
chosen = [];
for name = names(1:3)
  chosen = [chosen, net.blobs(name{1})];
end
same(size(chosen), [1 3]);
same(chosen(2).shape, net.blobs('label').shape);
same(size([net.blob_vec, net.blobs('data')]), [1 6]);
same(size([net.blobs('data'); net.blob_vec(2); net.blobs('ip')]), [3 1]);
chosen(end + 1) = net.blobs('loss');
same([numel(chosen), numel(net.blob_vec)], [4 5]);

% what is wrong is an error, and harms nothing
wrong = {@() net.blob_vec(6), @() net.blob_vec(0), @() net.blob_vec(1.5), ...
  @() [net.blob_vec, net.layer_vec], @() [net.blobs('data'), 3], @() [3; net.blobs('data')], ...
  @() net.layer_vec{1}, @() net.blob_vec.nothing};
for n = 1:numel(wrong)
  message = '';
  try
    wrong{n}();
  catch reason
    message = reason.message;
  end
  same(isempty(message), false);
end
same(net.blobs('data').shape, [4 3 2 5]);

% one test net is as the net itself, and several are an array
text = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 9 snapshot_after_train: false';
caffe.test.write_lines('one.prototxt', {['net: "' file '" test_iter: 1 test_interval: 9'], text});
caffe.test.write_lines('two.prototxt', {['train_net: "' file '" test_net: "' file '" '], ...
  ['test_net: "' file '" test_iter: 1 test_iter: 1 test_interval: 9'], text});
caffe.test.write_lines('none.prototxt', {['train_net: "' file '"'], text});
one = caffe.Solver('one.prototxt');
same(one.test_nets(1).blobs('data').shape, [4 3 2 5]);
same(one.test_nets.blob_names, net.blob_names);
one.test_nets.forward_prefilled();
one.test_nets(end).blobs('label').set_data(ones(1, 1, 1, 5));
two = caffe.Solver('two.prototxt');
same(numel(two.test_nets), 2);
same(arrayfun(@(n) numel(n.outputs), two.test_nets), [1 1]);
for n = 1:length(two.test_nets)
  two.test_nets(n).forward_prefilled();
end
two.test_nets(2).blobs('label').set_data(ones(1, 1, 1, 5));
same(two.test_nets(2).blobs('label').get_data()(1), single(1));
none = caffe.Solver('none.prototxt');
same({isempty(none.test_nets), class(none.test_nets)}, {true, 'caffe.Net'});
none.step(1);
delete(file);
