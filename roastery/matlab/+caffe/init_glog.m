function init_glog(base_dir)
% init_glog(base_dir)
%   The same as caffe.init_log.
%   happynear/caffe-windows: matlab/+caffe/init_glog.m

caffe.init_log(base_dir);

end
