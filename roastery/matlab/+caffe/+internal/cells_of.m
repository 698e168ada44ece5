function cells = cells_of(list)
% cells = cells_of(list)
%   An array of objects as a cell array of the same size.

cells = cell(size(list));
for n = 1:numel(list)
  cells{n} = list(n);
end

end
