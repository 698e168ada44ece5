classdef Solver < caffe.internal.Listed
  % solver = caffe.Solver(solver_file)
  %   Trains the net that a solver file names.

  properties (Access = private)
    hSolver_self
  end
  properties (SetAccess = private)
    net
    test_nets
  end

  methods
    function self = Solver(varargin)
      if nargin == 1 && isstruct(varargin{1})
        hSolver_solver = varargin{1};
        caffe.internal.check( ...
          caffe.internal.is_valid_handle(hSolver_solver, 'Solver'), ...
          'invalid Solver handle');
      else
        caffe.internal.check(nargin == 1, 'usage: solver = caffe.Solver(solver_file)');
        solver_file = caffe.internal.file_of(varargin{1}, 'solver_file');
        hSolver_solver = caffe.internal.call('get_solver', solver_file);
      end
      self.hSolver_self = hSolver_solver;
      attributes = caffe.internal.call('solver_get_attr', hSolver_solver);
      self.net = caffe.Net(attributes.hNet_net);
      self.test_nets = caffe.internal.object_list( ...
        @caffe.Net, attributes.hNet_test_nets, self.net);
    end

    function delete(self)
      try
        caffe.internal.release('delete_solver', self.hSolver_self);
      catch  % Octave, when it ends, hides private properties of what is still there
      end
    end

    function iter = iter(self)
      iter = caffe.internal.call('solver_get_iter', self.hSolver_self);
    end

    function restore(self, snapshot_filename)
      % restore(snapshot_filename)
      %   go on from a .solverstate
      snapshot_filename = ...
        caffe.internal.file_of(snapshot_filename, 'snapshot_filename');
      caffe.internal.call('solver_restore', self.hSolver_self, snapshot_filename);
    end

    function solve(self)
      % solve()
      %   train up to max_iter
      caffe.internal.call('solver_solve', self.hSolver_self);
    end

    function step(self, iters)
      caffe.internal.check(isnumeric(iters) && isscalar(iters) && isreal(iters) ...
        && iters > 0 && iters == fix(iters), 'iters must be positive integer');
      caffe.internal.call('solver_step', self.hSolver_self, double(iters));
    end

    function snapshot(self)
      % snapshot()
      %   write weights and state, to where the solver file says
      caffe.internal.call('solver_snapshot', self.hSolver_self);
    end

    function max_iter = max_iter(self)
      % ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/Solver.m
      max_iter = caffe.internal.call('solver_get_max_iter', self.hSolver_self);
    end

    function update(self)
      % update()
      %   one update from the parameters' diffs as they are
      %   happynear/caffe-windows: matlab/+caffe/Solver.m
      caffe.internal.call('solver_update', self.hSolver_self);
    end
  end
end
