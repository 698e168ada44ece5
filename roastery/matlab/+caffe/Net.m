classdef Net < caffe.internal.Listed
  % net = caffe.Net(model_file, phase_name)
  % net = caffe.Net(model_file, weights_file, phase_name)
  %   A net that runs; phase_name is 'train' or 'test'. Blobs are
  %   width x height x channels x num, the first dimension the fastest.

  properties (Access = private)
    hNet_self
  end
  properties (SetAccess = private)
    layer_vec
    blob_vec
    inputs
    outputs
    name2layer_index
    name2blob_index
    layer_names
    blob_names
    bottom_id_vecs
    top_id_vecs
  end

  methods
    function self = Net(varargin)
      if nargin == 1 && isstruct(varargin{1})
        hNet_net = varargin{1};
        caffe.internal.check( ...
          caffe.internal.is_valid_handle(hNet_net, 'Net'), 'invalid Net handle');
      else
        hNet_net = caffe.internal.make_net(varargin{:});
      end
      self.hNet_self = hNet_net;
      attributes = caffe.internal.call('net_get_attr', hNet_net);
      self.layer_vec = caffe.internal.object_list( ...
        @caffe.Layer, attributes.hLayer_layers, caffe.Layer());
      self.blob_vec = caffe.internal.object_list( ...
        @caffe.Blob, attributes.hBlob_blobs, caffe.Blob());
      self.layer_names = attributes.layer_names;
      self.blob_names = attributes.blob_names;
      % indices begin with 1 here, and with 0 there
      self.inputs = self.blob_names(attributes.input_blob_indices + 1);
      self.outputs = self.blob_names(attributes.output_blob_indices + 1);
      self.name2layer_index = caffe.internal.index_map(self.layer_names);
      self.name2blob_index = caffe.internal.index_map(self.blob_names);
      from_one = @(indices) indices + 1;
      self.bottom_id_vecs = ...
        cellfun(from_one, attributes.bottom_id_vecs, 'UniformOutput', false);
      self.top_id_vecs = ...
        cellfun(from_one, attributes.top_id_vecs, 'UniformOutput', false);
    end

    function delete(self)
      try
        caffe.internal.release('delete_net', self.hNet_self);
      catch  % Octave, when it ends, hides private properties of what is still there
      end
    end

    % --- what there is -----------------------------------------------------

    function layer = layers(self, layer_name)
      layer = self.layer_vec(self.layer_index(layer_name));
    end

    function blob = blobs(self, blob_name)
      blob_name = caffe.internal.text_of(blob_name, 'blob_name');
      blob = self.blob_vec( ...
        caffe.internal.index_of(self.blob_names, blob_name, 'blob'));
    end

    function blob = params(self, layer_name, blob_index)
      index = self.layer_index(layer_name);
      caffe.internal.check(isnumeric(blob_index) && isscalar(blob_index), ...
        'blob_index must be a scalar');
      found = self.layer_vec(index).params;
      caffe.internal.check(any(blob_index == 1:length(found)), ...
        'layer ''%s'' has %d parameters: there is no number %g', ...
        layer_name, length(found), blob_index);
      blob = found(blob_index);
    end

    % --- running -----------------------------------------------------------

    function forward_prefilled(self)
      caffe.internal.call('net_forward', self.hNet_self);
    end

    function backward_prefilled(self)
      caffe.internal.call('net_backward', self.hNet_self);
    end

    function res = forward(self, input_data)
      % res = forward(input_data)
      %   input_data is a cell array, an array for each input; so is res, an
      %   array for each output
      self.set_input_data(input_data);
      self.forward_prefilled();
      res = cell(length(self.outputs), 1);
      for n = 1:length(self.outputs)
        res{n} = self.blobs(self.outputs{n}).get_data();
      end
    end

    function res = backward(self, output_diff)
      % res = backward(output_diff)
      %   output_diff is a cell array, an array for each output; so is res, an
      %   array for each input
      caffe.internal.check(iscell(output_diff), 'output_diff must be a cell array');
      caffe.internal.check(numel(output_diff) == length(self.outputs), ...
        'output diff cell length must match output blob number: %d given, %d wanted', ...
        numel(output_diff), length(self.outputs));
      for n = 1:length(self.outputs)
        self.blobs(self.outputs{n}).set_diff(output_diff{n});
      end
      self.backward_prefilled();
      res = cell(length(self.inputs), 1);
      for n = 1:length(self.inputs)
        res{n} = self.blobs(self.inputs{n}).get_diff();
      end
    end

    function reshape(self)
      % reshape()
      %   carry new shapes of input blobs through the net
      caffe.internal.call('net_reshape', self.hNet_self);
    end

    % --- weights -----------------------------------------------------------

    function copy_from(self, weights_file)
      weights_file = caffe.internal.file_of(weights_file, 'weights_file');
      caffe.internal.call('net_copy_from', self.hNet_self, weights_file);
    end

    function save(self, weights_file)
      weights_file = caffe.internal.text_of(weights_file, 'weights_file');
      caffe.internal.call('net_save', self.hNet_self, weights_file);
    end

    % --- of ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/Net.m ----------

    function set_input_data(self, input_data)
      % set_input_data(input_data)
      %   a cell array, an array for each input
      self.check_inputs(input_data);
      for n = 1:length(self.inputs)
        self.blobs(self.inputs{n}).set_data(input_data{n});
      end
    end

    function res = get_output(self)
      % res = get_output()
      %   a struct array, blob_name and data of each output
      res = struct('blob_name', cell(1, length(self.outputs)), 'data', []);
      for n = 1:length(self.outputs)
        res(n).blob_name = self.outputs{n};
        res(n).data = self.blobs(self.outputs{n}).get_data();
      end
    end

    function reshape_as_input(self, input_data)
      % reshape_as_input(input_data)
      %   give the inputs the sizes of arrays, four dimensions at least; an
      %   empty array leaves its input as it is
      self.check_inputs(input_data);
      for n = 1:length(self.inputs)
        if ~isempty(input_data{n})
          shape = size(input_data{n});
          shape = [shape, ones(1, 4 - numel(shape))];
          self.blobs(self.inputs{n}).reshape(shape);
        end
      end
      self.reshape();
    end

    function share_weights_with(self, net)
      % share_weights_with(net)
      %   use the parameters of another net, layer by layer by name
      caffe.internal.check(isa(net, 'caffe.Net'), 'net must be a caffe.Net');
      caffe.internal.call('net_share_with', self.hNet_self, net.hNet_self);
    end

    function set_params_data(self, layer_name, blob_index, data)
      self.params(layer_name, blob_index).set_data(data);
    end

    function set_phase(self, phase_name) %#ok<INUSD>
      % set_phase(phase_name)
      %   an error: what a net computes is compiled for its phase
      error('Roastery:use', ['a net keeps its phase here\n  hint: make another ' ...
        'one of the same file, other = caffe.Net(file, ''test''), and ' ...
        'other.share_weights_with(net)']);
    end

    % --- of happynear/caffe-windows: matlab/+caffe/Net.m -------------------

    function forward_to(self, to_layer)
      self.forward_range(1, self.layer_index(to_layer));
    end

    function forward_from(self, from_layer)
      self.forward_range(self.layer_index(from_layer), length(self.layer_vec));
    end

    function forward_fromto(self, from_layer, to_layer)
      self.forward_range(self.layer_index(from_layer), self.layer_index(to_layer));
    end

    function backward_to(self, to_layer)
      self.backward_range(length(self.layer_vec), self.layer_index(to_layer));
    end

    function backward_from(self, from_layer)
      self.backward_range(self.layer_index(from_layer), 1);
    end

    function backward_fromto(self, from_layer, to_layer)
      self.backward_range(self.layer_index(from_layer), self.layer_index(to_layer));
    end

    function net_clear_param_diff(self)
      caffe.internal.call('net_clear_param_diff', self.hNet_self);
    end
  end

  methods (Access = private)
    function index = layer_index(self, layer_name)
      layer_name = caffe.internal.text_of(layer_name, 'layer_name');
      index = caffe.internal.index_of(self.layer_names, layer_name, 'layer');
    end

    function check_inputs(self, input_data)
      caffe.internal.check(iscell(input_data), 'input_data must be a cell array');
      caffe.internal.check(numel(input_data) == length(self.inputs), ...
        'input data cell length must match input blob number: %d given, %d wanted', ...
        numel(input_data), length(self.inputs));
    end

    function forward_range(self, first, last)
      caffe.internal.call('net_forward', self.hNet_self, first - 1, last - 1);
    end

    function backward_range(self, first, last)
      caffe.internal.call('net_backward', self.hNet_self, first - 1, last - 1);
    end
  end
end
