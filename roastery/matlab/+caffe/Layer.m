classdef Layer < caffe.internal.Listed
  % A layer of a net: its type and its parameters.

  properties (Access = private)
    hLayer_self
  end
  properties (SetAccess = private)
    params
  end

  methods
    function self = Layer(hLayer_layer)
      if nargin == 0
        return  % one of nothing, as arrays of objects want it
      end
      caffe.internal.check( ...
        caffe.internal.is_valid_handle(hLayer_layer, 'Layer'), 'invalid Layer handle');
      self.hLayer_self = hLayer_layer;
      attributes = caffe.internal.call('layer_get_attr', hLayer_layer);
      self.params = caffe.internal.object_list(@caffe.Blob, attributes.hBlob_blobs, caffe.Blob());
    end

    function layer_type = type(self)
      layer_type = caffe.internal.call('layer_get_type', self.hLayer_self);
    end

    function set_params_data(self, blob_index, data)
      % set_params_data(blob_index, data)
      %   the same as params(blob_index).set_data(data)
      self.params(blob_index).set_data(data);
    end
  end
end
