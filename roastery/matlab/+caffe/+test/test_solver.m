function results = test_solver()
% results = test_solver()
%   Tests of solvers. Caffe: matlab/+caffe/+test/test_solver.m

results = caffe.test.run_cases('test_solver', @set_up, { ...
  'solve', @test_solve, ...
  'get_solver', @test_get_solver});

end

function file = solver_file(net)
file = [tempname(), '.prototxt'];
caffe.test.write_lines(file, { ...
  ['net: "' net '"'], ...
  'test_iter: 10 test_interval: 10 base_lr: 0.01 momentum: 0.9', ...
  'weight_decay: 0.0005 lr_policy: "inv" gamma: 0.0001 power: 0.75', ...
  'display: 100 max_iter: 100 snapshot_after_train: false'});
end

function solver = set_up()
net = caffe.test.small_net(13);
file = solver_file(net);
solver = caffe.Solver(file);
delete(file);
delete(net);
label = solver.net.blobs('label');
label.set_data(randi(12, label.shape));
label = solver.test_nets(1).blobs('label');
label.set_data(randi(12, label.shape));
end

function test_solve(solver)
caffe.test.same(solver.iter(), 0);
solver.step(30);
caffe.test.same(solver.iter(), 30);
solver.solve();
caffe.test.same(solver.iter(), 100);
end

function test_get_solver(~)
net = caffe.test.small_net(13);
file = solver_file(net);
solver = caffe.get_solver(file);
delete(file);
delete(net);
caffe.test.same(solver.iter(), 0);
end
