function set_mode_gpu()
% set_mode_gpu()
%   Nets and solvers made from now on run on the GPU; where there is none, on
%   the CPU, with a note.

caffe.internal.call('set_mode_gpu');

end
