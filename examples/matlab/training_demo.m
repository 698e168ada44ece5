function accuracy = training_demo(folder, steps)
% accuracy = training_demo(folder, steps)
%   Train a small net from MATLAB, a few iterations at a time: write the data,
%   train, look at the losses, test, save, and go on from a snapshot.
%     folder  where files go; by default a new temporary one
%     steps   how often 20 iterations are trained; by default 5
%   returns the share of test pictures whose class is told rightly

if nargin < 1 || isempty(folder)
  folder = tempname();
  mkdir(folder);
end
if nargin < 2
  steps = 5;
end
here = fileparts(mfilename('fullpath'));
copyfile(fullfile(here, 'bars.prototxt'), folder);
copyfile(fullfile(here, 'bars_solver.prototxt'), folder);
before = cd(folder); % the prototxt's paths start from the working directory
back = onCleanup(@() cd(before));

write_bars('bars_train', 200);
write_bars('bars_test', 200);
solver = caffe.Solver('bars_solver.prototxt');
for n = 1:steps
  solver.step(20);
  fprintf('iteration %d, loss %.4f\n', solver.iter(), ...
    solver.net.blobs('loss').get_data());
end

test_net = solver.test_nets(1);
found = zeros(1, 4);
for n = 1:4
  test_net.forward_prefilled();
  found(n) = test_net.blobs('accuracy').get_data();
end
accuracy = mean(found);
fprintf('accuracy %.3f\n', accuracy);

solver.net.save('bars.caffemodel');
solver.snapshot(); % bars_iter_N.caffemodel and bars_iter_N.solverstate
again = caffe.Solver('bars_solver.prototxt');
again.restore(sprintf('bars_iter_%d.solverstate', solver.iter()));
again.step(1);
fprintf('iteration %d, gone on from the snapshot\n', again.iter());

end

function write_bars(name, count)
% noise of 12 x 12 with a bright bar: upright (0), level (1) or none (2)
data = single(0.3 * rand(12, 12, 1, count));
labels = mod(0:count - 1, 3);
for n = 1:count
  at = 2 + mod(7 * n, 10);
  if labels(n) == 0
    data(at, :, 1, n) = 1; % the first dimension is the width
  elseif labels(n) == 1
    data(:, at, 1, n) = 1;
  end
end
half = count / 2;
store2hdf5([name '.h5'], data(:, :, :, 1:half), labels(1:half), true, [], half);
store2hdf5([name '.h5'], data(:, :, :, half + 1:end), labels(half + 1:end), false);
id = fopen([name '.txt'], 'w');
fprintf(id, '%s.h5\n', name);
fclose(id);
end
