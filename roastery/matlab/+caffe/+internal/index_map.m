function map = index_map(names)
% map = index_map(names)
%   From each name to its place; of equal names the last.

map = containers.Map('KeyType', 'char', 'ValueType', 'double');
for n = 1:numel(names)
  map(names{n}) = n;
end

end
