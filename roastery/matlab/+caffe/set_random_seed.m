function set_random_seed(seed)
% set_random_seed(seed)
%   Seed fillers, dropout and data of nets made from now on.
%   ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/set_random_seed.m

caffe.internal.check(isnumeric(seed) && isscalar(seed) && isreal(seed) ...
  && seed >= 0 && seed == fix(seed), 'seed must be non-negative integer');
caffe.internal.call('set_random_seed', double(seed));

end
