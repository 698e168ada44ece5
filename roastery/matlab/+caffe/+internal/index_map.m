function map = index_map(names)
% map = index_map(names)
%   From each name to its place; of equal names the last. Octave's maps take no
%   empty name.

named = find(~cellfun(@isempty, names));
if isempty(named)
  map = containers.Map('KeyType', 'char', 'ValueType', 'double');
else
  map = containers.Map(names(named), named);
end

end
