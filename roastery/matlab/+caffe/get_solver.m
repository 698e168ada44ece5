function solver = get_solver(solver_file)
% solver = get_solver(solver_file)
%   The same as caffe.Solver.

caffe.internal.check(nargin == 1, 'usage: solver = caffe.get_solver(solver_file)');
solver = caffe.Solver(caffe.internal.file_of(solver_file, 'solver_file'));

end
