function same(found, wanted)
% same(found, wanted)
%   An error unless both are equal, their classes too.

caffe.internal.check(strcmp(class(found), class(wanted)), ...
  '%s where %s was wanted', class(found), class(wanted));
caffe.internal.check(isequal(size(found), size(wanted)), ...
  'size [%s] where [%s] was wanted', num2str(size(found)), num2str(size(wanted)));
caffe.internal.check(isequal(found, wanted), 'other values than were wanted');

end
