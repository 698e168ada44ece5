function version_str = version()
% version_str = version()
%   The version of Caffe whose interface this is.

version_str = caffe.internal.call('version');

end
