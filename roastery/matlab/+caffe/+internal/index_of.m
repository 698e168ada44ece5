function index = index_of(names, name, what)
% index = index_of(names, name, what)
%   The place of a name, the last one; what is 'layer' or 'blob'.

index = find(strcmp(name, names), 1, 'last');
if isempty(index)
  error('Roastery:use', '%s', sprintf('the net has no %s ''%s''\n  hint: %ss: %s', ...
    what, name, what, strjoin(unique(names, 'stable')', ', ')));
end

end
