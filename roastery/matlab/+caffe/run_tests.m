function results = run_tests()
% results = run_tests()
%   Check this interface on small nets, on the CPU. All nets and solvers are
%   cleared before and after.
%   returns a struct array: Name, Passed and, of what failed, Message

caffe.set_mode_cpu();
caffe.reset_all();
results = [caffe.test.test_net(), caffe.test.test_solver(), caffe.test.test_io()];
caffe.reset_all();
fprintf('%d of %d tests passed\n', sum([results.Passed]), numel(results));

end
