function results = test_io()
% results = test_io()
%   Tests of files. Caffe: matlab/+caffe/+test/test_io.m

results = caffe.test.run_cases('test_io', @() [], { ...
  'read_write_mean', @test_read_write_mean, ...
  'load_image', @test_load_image});

end

function test_read_write_mean(~)
mean_data = single(255 * rand(200, 300, 3));
file = [tempname(), '.binaryproto'];
caffe.io.write_mean(mean_data, file);
found = caffe.io.read_mean(file);
delete(file);
caffe.test.same(found, mean_data);
end

function test_load_image(~)
picture = uint8(reshape(0:2 * 4 * 3 - 1, [2 4 3]));
file = [tempname(), '.png'];
imwrite(picture, file);
found = caffe.io.load_image(file);
delete(file);
caffe.test.same(size(found), [4 2 3]);
caffe.test.same(found(3, 2, 1), single(picture(2, 3, 3)));
caffe.test.same(found(:, :, 2), single(picture(:, :, 2)'));
end
