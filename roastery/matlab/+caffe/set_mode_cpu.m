function set_mode_cpu()
% set_mode_cpu()
%   Nets and solvers made from now on run on the CPU.

caffe.internal.call('set_mode_cpu');

end
