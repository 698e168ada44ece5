function handle = make_net(varargin)
% handle = make_net(model_file, phase_name) or
% handle = make_net(model_file, weights_file, phase_name)

caffe.internal.check(nargin == 2 || nargin == 3, ['usage: ' ...
  'net = caffe.Net(model_file, phase_name) or ' ...
  'net = caffe.Net(model_file, weights_file, phase_name)']);
model_file = caffe.internal.text_of(varargin{1}, 'model_file');
phase_name = caffe.internal.text_of(varargin{end}, 'phase_name');
model_file = caffe.internal.file_of(model_file, 'model_file');
caffe.internal.check(any(strcmp(phase_name, {'train', 'test'})), ...
  'phase_name can only be ''train'' or ''test''');
if nargin == 3
  weights_file = caffe.internal.file_of(varargin{2}, 'weights_file');
end
handle = caffe.internal.call('get_net', model_file, phase_name);
if nargin == 3
  try
    caffe.internal.call('net_copy_from', handle, weights_file);
  catch reason
    caffe.internal.release('delete_net', handle);
    rethrow(reason);
  end
end

end
