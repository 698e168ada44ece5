% Whatever is asked of it wrongly is an error with words; nothing crashes.

net = caffe.Net('shapes.prototxt', 'test');
data = net.blobs('data');

fails(@() caffe.Net('missing.prototxt', 'test'), '^missing.prototxt does not exist');
fails(@() caffe.Net('shapes.prototxt'), '^usage: ');
fails(@() caffe.Net(), '^usage: ');
fails(@() caffe.Net('shapes.prototxt', 'w', 'test', 4), '^usage: ');
fails(@() caffe.Net(3, 'test'), '^model_file must be a string');
fails(@() caffe.Net('shapes.prototxt', 3), '^phase_name must be a string');
fails(@() caffe.Net('shapes.prototxt', 'TEST'), 'can only be ''train'' or ''test''');
fails(@() caffe.Net('shapes.prototxt', 'missing', 'test'), '^missing does not exist');
fails(@() caffe.Net('shapes.prototxt', 'shapes.prototxt', 'test'), 'not weights');
fails(@() caffe.Net(['shapes.prototxt', char(0)], 'test'), '.');
fails(@() caffe.Net(['ab'; 'cd'], 'test'), '^model_file must be a string');
fails(@() caffe.Net('.', 'test'), '''.'' is a folder, not a net file');
fails(@() caffe.Net('', 'test'), '^model_file must not be empty');
fails(@() caffe.Net('shapes.prototxt', '', 'test'), '^weights_file must not be empty');
fails(@() caffe.get_net('shapes.prototxt'), '^usage: ');
fails(@() caffe.get_solver('missing'), '^missing does not exist');
fails(@() caffe.get_solver(), '^usage: ');
fails(@() caffe.Solver(), '^usage: ');
fails(@() caffe.Solver('shapes.prototxt'), '.');

% an error of the net's text names file, line and layer
fails(@() caffe.Net('wrong.prototxt', 'test'), 'wrong.prototxt:4.*kernel_siz');
fails(@() caffe.Net('too_large.prototxt', 'test'), 'too_large.prototxt:4.*''conv''.*kernel_size');

fails(@() net.blobs('dat'), 'no blob ''dat''.*blobs: data, ');
fails(@() net.blobs(1), 'blob_name must be a string');
fails(@() net.layers('x'), 'no layer ''x''.*layers: ');
fails(@() net.layers({}), 'layer_name must be a string');
fails(@() net.params('ip', 1), 'no layer ''ip''');
fails(@() net.params('both', 1), 'has 0 parameters: there is no number 1');
fails(@() net.params('both', 'a'), 'blob_index must be a scalar');
fails(@() net.params('both', [1 2]), 'blob_index must be a scalar');

fails(@() data.set_data('text'), 'must be numeric types');
fails(@() data.set_data({1}), 'must be numeric types');
fails(@() data.set_data(true(5, 4, 3, 2)), 'must be numeric types');
fails(@() data.set_data(1i * ones(5, 4, 3, 2)), 'must be real');
fails(@() data.set_data(ones(4, 5, 3, 2)), 'does not match target blob shape');
fails(@() data.set_data([]), 'does not match target blob shape');
fails(@() data.set_diff(ones(5, 4, 3, 2, 2)), 'does not match target blob shape');
fails(@() data.reshape('ab'), 'row vector of integers');
fails(@() data.reshape({2}), 'row vector of integers');
fails(@() data.reshape([1; 2]), 'row vector of integers');
fails(@() data.reshape([1 2.5]), '2.5 is no whole number');
fails(@() data.reshape([-1 2]), '-1 is no whole number');
fails(@() data.reshape([NaN 2]), 'no whole number');
fails(@() data.reshape([Inf 2]), 'no whole number');
fails(@() data.reshape([1e9 1e9 1e9]), 'are the most');
fails(@() data.reshape(ones(1, 40)), 'are the most');
fails(@() data.reshape(ones(1, 5000)), 'given is double');
fails(@() data.copy_data_from(3), 'must be a caffe.Blob');
fails(@() data.copy_data_from(net.blobs('scale')), '\[3 1\].*\[5 4 3 2\]');
caffe.test.same(data.shape, [5 4 3 2]);

fails(@() net.forward(1), 'input_data must be a cell array');
fails(@() net.forward({1}), 'must match input blob number: 1 given, 2 wanted');
fails(@() net.forward({1, 2}), 'does not match target blob shape');
fails(@() net.backward({1, 2, 3}), 'must match output blob number');
fails(@() net.copy_from(3), 'weights_file must be a string');
fails(@() net.copy_from('missing'), '^missing does not exist');
fails(@() net.save(3), 'weights_file must be a string');
fails(@() net.save('missing/folder/w'), 'there is no folder');
fails(@() net.save(''), 'given is an empty string');
fails(@() net.share_weights_with(3), 'must be a caffe.Net');
fails(@() net.set_phase('test'), 'keeps its phase');
fails(@() caffe.set_device(-1), 'non-negative integer');
fails(@() caffe.set_device('0'), 'non-negative integer');
fails(@() caffe.set_device([0 1]), 'non-negative integer');
fails(@() caffe.set_random_seed(0.5), 'non-negative integer');
fails(@() caffe.init_log(''), 'must not be empty');
fails(@() caffe.io.read_mean('missing'), '^missing does not exist');
fails(@() caffe.io.read_mean('shapes.prototxt'), 'is not a mean file');
fails(@() caffe.io.write_mean(ones(3), 'm'), 'must be a SINGLE matrix');
fails(@() caffe.io.write_mean(ones(3, 3, 3, 2, 'single'), 'm'), '4 axes');
fails(@() caffe.io.write_mean(single(1i), 'm'), 'wanted, given is single');
fails(@() caffe.io.write_mean(single(1), ''), 'given is an empty string');
fails(@() caffe.io.load_image('missing'), '^missing does not exist');

% a net that stops half-way is usable
data.reshape([5 4 2 2]);
fails(@() net.forward_prefilled(), 'both');
data.reshape([5 4 3 2]);
net.forward_prefilled();

% made-up handles
key = caffe.internal.call('get_init_key');
handle = @(number) struct('ptr', uint64(number), 'init_key', key);
for bad = {struct('ptr', 1), struct('ptr', 1, 'init_key', 1), struct('ptr', {}), ...
    handle(0), handle(1e15), struct('ptr', uint64(1), 'init_key', key + 1), ...
    struct('ptr', uint64([1 2]), 'init_key', key), struct('ptr', {{}}, 'init_key', [])}
  fails(@() caffe.Net(bad{1}), '^invalid Net handle');
  fails(@() caffe.Solver(bad{1}), '^invalid Solver handle');
end
fails(@() caffe.Blob(3), '^invalid Blob handle');
fails(@() caffe.Layer('x'), '^invalid Layer handle');
fails(@() caffe.Blob().shape(), 'a handle wanted');
fails(@() caffe.Layer().type(), 'a handle wanted');
fails(@() caffe.internal.call('blob_get_data', 3), 'a handle wanted');
fails(@() caffe.internal.call('blob_get_data', handle(1e15)), 'is no more');
fails(@() caffe.internal.call('blob_get_data'), 'takes more than 0');
fails(@() caffe.internal.call('nothing'), 'no command');
fails(@() caffe.internal.call(3), '.');
fails(@() caffe.internal.call({}), '.');
for words = {{}, {'call'}, {3}, {'start', 'a'}, {'x', 'y'}, {['a'; 'b'], 'c'}}
  failure = caffe_(words{1}{:});
  caffe.test.same(failure.identifier, 'Roastery:use');
end

% objects that are gone
caffe.reset_all();
fails(@() data.get_data(), 'Blob was cleared');
fails(@() data.shape, 'Blob was cleared');
fails(@() net.forward_prefilled(), 'Net was cleared');
fails(@() net.layer_vec(1).type, 'Layer was cleared');
clear net
net = caffe.Net('shapes.prototxt', 'test');
fails(@() data.get_data(), 'Blob was cleared');
data = net.blobs('data');
clear net
fails(@() data.set_data(ones(5, 4, 3, 2)), 'Blob is no more');
net = caffe.Net('shapes.prototxt', 'test');
delete(net);
fails(@() net.forward_prefilled(), 'Net is no more');
delete(net);
clear all
caffe.reset_all();
