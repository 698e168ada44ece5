function list = object_list(make, handles, one)
% list = object_list(make, handles, one)
%   An array of objects of one class, a row, one for each handle. make is the
%   constructor, one an object of that class, whichever.

if numel(handles) == 1
  list = make(handles);
else
  list = one([]);
  for n = 1:numel(handles)
    list(n) = make(handles(n));
  end
end

end
