classdef Blob < caffe.internal.Listed
  % Data and diff of a net's blob, or of a layer's parameter.
  %   The first dimension is the fastest: width x height x channels x num.

  properties (Access = private)
    hBlob_self
  end

  methods
    function self = Blob(hBlob_blob)
      if nargin == 0
        return  % one of nothing, as arrays of objects want it
      end
      caffe.internal.check( ...
        caffe.internal.is_valid_handle(hBlob_blob, 'Blob'), 'invalid Blob handle');
      self.hBlob_self = hBlob_blob;
    end

    function shape = shape(self)
      % shape = shape()
      %   a row, without the ones that MATLAB puts at the end of sizes
      shape = caffe.internal.call('blob_get_shape', self.hBlob_self);
    end

    function reshape(self, shape)
      % reshape(shape)
      %   take another shape; net.reshape() carries it through the net
      caffe.internal.check(isempty(shape) ...
        || (isnumeric(shape) && isreal(shape) && isrow(shape)), ...
        'shape must be a row vector of integers');
      caffe.internal.call('blob_reshape', self.hBlob_self, full(double(shape)));
    end

    function data = get_data(self)
      data = caffe.internal.call('blob_get_data', self.hBlob_self);
    end

    function set_data(self, data)
      data = self.fitting(data);
      caffe.internal.call('blob_set_data', self.hBlob_self, data);
    end

    function diff = get_diff(self)
      diff = caffe.internal.call('blob_get_diff', self.hBlob_self);
    end

    function set_diff(self, diff)
      diff = self.fitting(diff);
      caffe.internal.call('blob_set_diff', self.hBlob_self, diff);
    end

    function copy_data_from(self, blob)
      % copy_data_from(blob)
      %   take the data of another blob of the same shape
      caffe.internal.check(isa(blob, 'caffe.Blob'), 'blob must be a caffe.Blob');
      caffe.internal.call('blob_copy_data', self.hBlob_self, blob.hBlob_self);
    end
  end

  methods (Access = private)
    function data = fitting(self, data)
      % singles of the blob's size; ones at the end of a size count for nothing
      caffe.internal.check(isnumeric(data), 'data or diff must be numeric types');
      caffe.internal.check(isreal(data), 'data or diff must be real');
      wanted = self.shape();
      wanted = [wanted, ones(1, 2 - numel(wanted))];
      given = size(data);
      given = [given, ones(1, numel(wanted) - numel(given))];
      caffe.internal.check(isequal(wanted, given), ...
        ['input data/diff size does not match target blob shape, ' ...
        'input data/diff size: [ %s] vs target blob shape: [ %s]'], ...
        sprintf('%d ', given), sprintf('%d ', wanted));
      data = single(full(data));
    end
  end
end
