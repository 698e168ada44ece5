classdef Listed < handle
  % What stands in arrays: layers, blobs and nets. Octave has arrays of objects,
  % but neither joins them nor runs arrayfun over them by itself.

  methods
    function list = horzcat(varargin)
      if exist('OCTAVE_VERSION', 'builtin')
        list = caffe.internal.joined(varargin, 2);
      else
        list = builtin('horzcat', varargin{:});
      end
    end

    function list = vertcat(varargin)
      if exist('OCTAVE_VERSION', 'builtin')
        list = caffe.internal.joined(varargin, 1);
      else
        list = builtin('vertcat', varargin{:});
      end
    end

    function varargout = arrayfun(call, varargin)
      if ~exist('OCTAVE_VERSION', 'builtin')
        [varargout{1:nargout}] = builtin('arrayfun', call, varargin{:});
        return
      end
      for n = 1:numel(varargin)
        if ischar(varargin{n})  % the name of an option
          break
        elseif isobject(varargin{n})
          varargin{n} = caffe.internal.cells_of(varargin{n});
        else
          varargin{n} = num2cell(varargin{n});
        end
      end
      [varargout{1:nargout}] = cellfun(call, varargin{:});
    end
  end
end
