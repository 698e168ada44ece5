function reset_all()
% reset_all()
%   Clear all solvers and stand-alone nets. Objects made before are no longer
%   valid: to use one is an error.

cleared = caffe.internal.call('reset');
fprintf('Cleared %d solvers and %d stand-alone nets\n', cleared.solvers, cleared.nets);

end
