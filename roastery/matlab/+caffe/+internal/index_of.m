function index = index_of(map, name, what)
% index = index_of(map, name, what)
%   The place of a name; what is 'layer' or 'blob'.

if ~isKey(map, name)
  places = values(map);
  names = keys(map);
  [~, order] = sort([places{:}]);
  error('Roastery:use', '%s', sprintf('the net has no %s ''%s''\n  hint: %ss: %s', ...
    what, name, what, strjoin(names(order), ', ')));
end
index = map(name);

end
