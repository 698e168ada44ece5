function list = object_list(make, handles)
% list = object_list(make, handles)
%   Objects of one class, one for each handle. make is the constructor.

objects = cell(1, numel(handles));
for n = 1:numel(handles)
  objects{n} = make(handles(n));
end
if exist('OCTAVE_VERSION', 'builtin')
  list = caffe.internal.List(objects);
else
  list = [objects{:}];
end

end
