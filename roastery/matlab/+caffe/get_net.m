function net = get_net(varargin)
% net = get_net(model_file, phase_name) or
% net = get_net(model_file, weights_file, phase_name)
%   The same as caffe.Net.

caffe.internal.check(nargin == 2 || nargin == 3, ['usage: ' ...
  'net = caffe.get_net(model_file, phase_name) or ' ...
  'net = caffe.get_net(model_file, weights_file, phase_name)']);
net = caffe.Net(varargin{:});

end
