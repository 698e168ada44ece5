function [scores, maxlabel] = classification_demo(im, model, weights, mean_file)
% [scores, maxlabel] = classification_demo(im, model, weights, mean_file)
%   The best class of a picture: ten crops of it (the corners and the middle,
%   and their mirror images) go through the net as one batch, and the mean of
%   their scores decides.
%     im         height x width x 3, uint8, RGB, as imread gives it; by default
%                a drawn one
%     model      a deploy prototxt with one input; by default a small CaffeNet
%     weights    a .caffemodel; without it the net has what its fillers made
%     mean_file  a .binaryproto, as large as or larger than the net's input;
%                without it 120 is subtracted
%   returns a score for each class, and the number of the best, from 1 on
%   It runs where nets run: caffe.set_mode_gpu() before it chooses the GPU.
%   After the idea of Caffe's matlab/demo/classification_demo.m.

if nargin < 1 || isempty(im)
  im = drawn_picture();
end
if nargin < 2 || isempty(model)
  model = fullfile(fileparts(mfilename('fullpath')), 'small_caffenet.prototxt');
end
if nargin < 3 || isempty(weights)
  net = caffe.Net(model, 'test');
else
  net = caffe.Net(model, weights, 'test'); % 'test': no dropout
end

shape = net.blobs(net.inputs{1}).shape; % width x height x channels x num
crop = shape(1:2);
if nargin < 4 || isempty(mean_file)
  mean_data = 120 * ones([round(crop * 256 / 227), 3], 'single');
else
  mean_data = caffe.io.read_mean(mean_file);
end

tic;
crops = oversampled(prepared(im, mean_data), crop);
net.blobs(net.inputs{1}).reshape(size(crops));
net.reshape();
scores = net.forward({crops}); % a cell for each output
scores = mean(scores{1}, 2); % classes x crops
[~, maxlabel] = max(scores);
fprintf('class %d of %d, score %.4f, %.3f s\n', ...
  maxlabel, numel(scores), scores(maxlabel), toc);

end

function data = prepared(im, mean_data)
% Caffe's order: width first, then height, then BGR
data = single(permute(im(:, :, [3 2 1]), [2 1 3]));
data = resized(data, size(mean_data(:, :, 1))) - mean_data;
end

function crops = oversampled(data, crop)
left = [0, size(data, 1) - crop(1)];
top = [0, size(data, 2) - crop(2)];
corners = [left([1 1 2 2]); top([1 2 1 2])];
corners(:, 5) = floor([left(2); top(2)] / 2);
crops = zeros([crop, size(data, 3), 10], 'single');
for n = 1:5
  piece = data(corners(1, n) + (1:crop(1)), corners(2, n) + (1:crop(2)), :);
  crops(:, :, :, n) = piece;
  crops(:, :, :, n + 5) = flipud(piece); % the first dimension is the width
end
end

function out = resized(data, dims)
% bilinear; imresize is in toolboxes that not everybody has
[height, width, channels] = deal(size(data, 1), size(data, 2), size(data, 3));
rows = min(max(((1:dims(1)) - 0.5) * height / dims(1) + 0.5, 1), height);
columns = min(max(((1:dims(2)) - 0.5) * width / dims(2) + 0.5, 1), width);
out = zeros([dims, channels], 'single');
for c = 1:channels
  out(:, :, c) = interp2(double(data(:, :, c)), columns, rows', 'linear');
end
end

function im = drawn_picture()
[x, y] = meshgrid(1:160, 1:120);
disc = (x - 90) .^ 2 + (y - 60) .^ 2 < 40 ^ 2;
im = uint8(cat(3, 255 * disc, 80 + x, 200 - y));
end
