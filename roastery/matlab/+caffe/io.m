classdef io
  % Pictures and means, in Caffe's order: width first, channels BGR.

  methods (Static)
    function im_data = load_image(im_file)
      % im_data = load_image(im_file)
      %   width x height x channels, single, 0 to 255: three channels (BGR), or
      %   one of a grey picture
      im_file = caffe.internal.file_of(im_file, 'im_file');
      im_data = imread(im_file);
      if size(im_data, 3) == 3
        im_data = im_data(:, :, [3 2 1]);
      end
      im_data = single(permute(im_data, [2 1 3]));
    end

    function mean_data = read_mean(mean_proto_file)
      % mean_data = read_mean(mean_proto_file)
      %   a .binaryproto as width x height x channels
      mean_proto_file = caffe.internal.file_of(mean_proto_file, 'mean_proto_file');
      mean_data = caffe.internal.call('read_mean', mean_proto_file);
    end

    function write_mean(mean_data, mean_proto_file)
      % write_mean(mean_data, mean_proto_file)
      %   width x height x channels, single, as a .binaryproto
      mean_proto_file = caffe.internal.text_of(mean_proto_file, 'mean_proto_file');
      caffe.internal.check(isa(mean_data, 'single'), ...
        'mean_data must be a SINGLE matrix');
      caffe.internal.call('write_mean', mean_data, mean_proto_file);
    end
  end
end
