function init_log(log_base_filename)
% init_log(log_base_filename)
%   From now on nets tell what they are made of, and what they and solvers say
%   is also added to the file [log_base_filename '.log'].
%   ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/init_log.m

log_base_filename = caffe.internal.text_of(log_base_filename, 'log_base_filename');
caffe.internal.check(~isempty(log_base_filename), ...
  'log_base_filename must not be empty');
caffe.internal.call('init_log', log_base_filename);

end
