function mean_data = read_mean(mean_file)
% mean_data = read_mean(mean_file)
%   The same as caffe.io.read_mean.
%   happynear/caffe-windows: matlab/+caffe/read_mean.m

mean_data = caffe.io.read_mean(mean_file);

end
