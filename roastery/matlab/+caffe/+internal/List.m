classdef List
  % Objects in a row, for Octave, which has no arrays of them: list(n),
  % list(n).method(), list(2:3), list(end), length(list).

  properties (Access = private)
    objects
  end

  methods
    function self = List(objects)
      self.objects = objects;
    end
    function n = numel(self, varargin)
      n = numel(self.objects);
    end
    function n = length(self)
      n = numel(self.objects);
    end
    function n = columns(self)
      n = numel(self.objects);
    end
    function n = ndims(self)
      n = 2;
    end
    function varargout = size(self, varargin)
      [varargout{1:max(nargout, 1)}] = size(self.objects, varargin{:});
    end
    function yes = isempty(self)
      yes = isempty(self.objects);
    end
    function n = end(self, place, places)
      if places == 1 || place == 2
        n = numel(self.objects);
      else
        n = 1;
      end
    end
    function varargout = subsref(self, steps)
      caffe.internal.check(strcmp(steps(1).type, '()'), ...
        'a list of %d objects: list(n) gives one of them', numel(self.objects));
      place = steps(1).subs{end};
      caffe.internal.check(ischar(place) || islogical(place) ...
        || (isnumeric(place) && all(place(:) >= 1 & place(:) <= numel(self.objects))), ...
        'there are %d objects: no such place', numel(self.objects));
      chosen = self.objects(steps(1).subs{:});
      if numel(chosen) == 1
        found = chosen{1};
      else
        found = caffe.internal.List(reshape(chosen, 1, []));
      end
      if numel(steps) == 1
        varargout{1} = found;
      else
        [varargout{1:nargout}] = subsref(found, steps(2:end));
      end
    end
    function disp(self)
      fprintf('  1x%d list of objects\n', numel(self.objects));
    end
  end
end
