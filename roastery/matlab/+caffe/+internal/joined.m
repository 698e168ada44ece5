function list = joined(parts, dim)
% list = joined(parts, dim)
%   Objects and arrays of them as one row (dim is 2) or column (1). parts is a
%   cell array; an empty part adds nothing.

parts = parts(~cellfun(@isempty, parts));
objects = {};
for n = 1:numel(parts)
  caffe.internal.check(strcmp(class(parts{n}), class(parts{1})), ...
    'a %s and a %s cannot stand in one array', class(parts{1}), class(parts{n}));
  found = caffe.internal.cells_of(parts{n});
  objects = [objects; found(:)]; %#ok<AGROW>
end
list = objects{1};
for n = 2:numel(objects)
  if dim == 2
    list(1, n) = objects{n};
  else
    list(n, 1) = objects{n};
  end
end

end
