"""What is known of other people's libraries: which of their names load, hold or change data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TORCH_SIGNATURE = (
    "dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn",
    "pin_memory", "drop_last", "timeout", "worker_init_fn", "multiprocessing_context",
)  # fmt: skip
"""The positional parameters of `torch.utils.data.DataLoader`, torch 2.4 to 2.13."""

_PYG_SIGNATURE = ("dataset", "batch_size", "shuffle", "follow_batch", "exclude_keys")


@dataclass(frozen=True, slots=True)
class LoaderKind:
    """How a loader class takes its arguments, and how many workers it has unless told."""

    signature: tuple[str, ...] = ("dataset",)
    default_workers: int = 0
    is_plain: bool = False
    """Whether it hands its arguments to torch's own loader as they are."""
    persists: bool = False
    """Whether its workers live on after an epoch unless told otherwise."""


_TORCH = LoaderKind(TORCH_SIGNATURE, is_plain=True)
_PYG = LoaderKind(_PYG_SIGNATURE, is_plain=True)
_TIMM = LoaderKind(("dataset", "input_size", "batch_size"), default_workers=1, persists=True)
LOADERS: Mapping[str, LoaderKind] = {
    "torch.utils.data.DataLoader": _TORCH,
    "torch.utils.data.dataloader.DataLoader": _TORCH,
    "torchdata.stateful_dataloader.StatefulDataLoader": _TORCH,
    "monai.data.DataLoader": LoaderKind(("dataset", "num_workers"), is_plain=True),
    "monai.data.dataloader.DataLoader": LoaderKind(("dataset", "num_workers"), is_plain=True),
    "monai.data.ThreadDataLoader": LoaderKind(),
    "torch_geometric.loader.DataLoader": _PYG,
    "torch_geometric.loader.dataloader.DataLoader": _PYG,
    "torch_geometric.data.DataLoader": _PYG,
    "torch_geometric.data.DenseDataLoader": LoaderKind(("dataset", "batch_size", "shuffle")),
    "torch_geometric.data.DataListLoader": LoaderKind(("dataset", "batch_size", "shuffle")),
    "torch_geometric.loader.DenseDataLoader": LoaderKind(("dataset", "batch_size", "shuffle")),
    "torch_geometric.loader.DataListLoader": LoaderKind(("dataset", "batch_size", "shuffle")),
    "torch_geometric.loader.NeighborLoader": LoaderKind(("data", "num_neighbors")),
    "torch_geometric.loader.LinkNeighborLoader": LoaderKind(("data", "num_neighbors")),
    "torch_geometric.loader.HGTLoader": LoaderKind(("data", "num_samples")),
    "torch_geometric.loader.ClusterLoader": LoaderKind(("cluster_data",)),
    "torch_geometric.loader.GraphSAINTRandomWalkSampler": LoaderKind(("data",)),
    "torch_geometric.loader.ShaDowKHopSampler": LoaderKind(("data",)),
    "torch_geometric.loader.NeighborSampler": LoaderKind(("edge_index",)),
    "torch_geometric.loader.RandomNodeLoader": LoaderKind(("data",)),
    "dgl.dataloading.GraphDataLoader": LoaderKind(("dataset", "collate_fn")),
    "dgl.dataloading.DataLoader": LoaderKind(("graph",)),
    "webdataset.WebLoader": _TORCH,
    "timm.data.create_loader": _TIMM,
    "timm.data.loader.create_loader": _TIMM,
}

DATASETS = frozenset({
    "torch.utils.data.Dataset", "torch.utils.data.dataset.Dataset", "torch.utils.data.IterableDataset",
    "torch.utils.data.dataset.IterableDataset", "torch.utils.data.MapDataPipe", "torch.utils.data.IterDataPipe",
    "torch.utils.data.TensorDataset", "torch.utils.data.ConcatDataset", "torch.utils.data.Subset",
    "torch.utils.data.ChainDataset", "torch_geometric.data.Dataset", "torch_geometric.data.InMemoryDataset",
    "monai.data.Dataset", "monai.data.CacheDataset", "monai.data.PersistentDataset", "monai.data.IterableDataset",
    "timm.data.ImageDataset", "timm.data.IterableImageDataset", "torchdata.datapipes.iter.IterDataPipe",
    "fairseq.data.FairseqDataset",
})  # fmt: skip
ITERABLES = frozenset({
    "torch.utils.data.IterableDataset", "torch.utils.data.dataset.IterableDataset", "torch.utils.data.ChainDataset",
    "monai.data.IterableDataset", "webdataset.WebDataset",
})  # fmt: skip
PIPES = frozenset({
    "torch.utils.data.IterDataPipe", "torch.utils.data.datapipes.datapipe.IterDataPipe",
    "torchdata.datapipes.iter.IterDataPipe",
})  # fmt: skip
UNSIZED = frozenset({"torch.utils.data.Dataset", "torch.utils.data.dataset.Dataset", "builtins.object"})
"""Bases that give a dataset no length."""

ON_DISK = frozenset({
    f"torchvision.datasets.{name}" for name in (
        "ImageFolder", "DatasetFolder", "ImageNet", "CocoDetection", "CocoCaptions", "VOCDetection", "VOCSegmentation",
        "Cityscapes", "CelebA", "Places365", "Caltech101", "Caltech256", "Flowers102", "Food101", "OxfordIIITPet",
        "StanfordCars", "SUN397", "LSUN", "Kinetics", "HMDB51", "UCF101", "WIDERFace", "FGVCAircraft", "Imagenette",
        "folder.ImageFolder", "folder.DatasetFolder",
    )
} | {
    f"torchaudio.datasets.{name}" for name in ("LIBRISPEECH", "SPEECHCOMMANDS", "LJSPEECH", "GTZAN", "VCTK_092")
})  # fmt: skip
"""Datasets of libraries that read a file for each item."""

CPU_COUNTERS = frozenset({"os.cpu_count", "multiprocessing.cpu_count", "torch.multiprocessing.cpu_count",
                          "psutil.cpu_count", "joblib.cpu_count", "os.process_cpu_count"})  # fmt: skip

DATASET_PACKAGES = ("torchvision.datasets.", "torchaudio.datasets.", "torchtext.datasets.", "medmnist.")
FOREIGN = frozenset({
    "tensorflow", "tf", "keras", "paddle", "mxnet", "gluoncv", "mindspore", "jax", "flax", "datasets", "oneflow",
    "chainer", "minari", "megengine", "jittor", "tinygrad", "batchgenerators", "collections", "typing", "abc",
    "pydantic",
})  # fmt: skip
"""Packages whose classes of the same name have nothing to do with torch's workers."""

KEEPERS = (
    "torchvision.transforms.", "torchvision.datasets.", "torchaudio.transforms.",
    "torchaudio.datasets.", "albumentations.", "monai.transforms.", "monai.data.", "kornia.augmentation.",
    "torchio.", "timm.data.", "webdataset.", "torchdata.", "torch.utils.data.", "torchtext.transforms.",
    "medmnist.", "imgaug.augmenters.", "numpy.vectorize", "volumentations.", "torch_geometric.transforms.",
    "torch_geometric.datasets.", "torch_geometric.data.", "pytorchvideo.transforms.", "pytorchvideo.data.",
    "audiomentations.", "torch_audiomentations.", "tonic.", "functools.partial", "builtins.list",
    "builtins.tuple", "builtins.dict", "builtins.set", "collections.OrderedDict", "builtins.reversed",
)  # fmt: skip
"""What keeps its arguments, so that they travel with it."""

NOT_KEPT = frozenset({"is_valid_file", "pre_filter", "pre_transform"})
"""Arguments of those that are used at once and dropped."""

STAR_EXPORTS: Mapping[str, frozenset[str]] = {
    "torch.utils.data": frozenset({
        "DataLoader", "Dataset", "IterableDataset", "TensorDataset", "ConcatDataset", "Subset", "ChainDataset",
        "random_split", "Sampler", "RandomSampler", "SequentialSampler", "WeightedRandomSampler",
        "BatchSampler", "SubsetRandomSampler", "DistributedSampler", "get_worker_info", "default_collate",
    }),
    "torch.utils.data.dataloader": frozenset({"DataLoader"}),
    "torch.utils.data.dataset": frozenset({"Dataset", "IterableDataset", "TensorDataset", "Subset"}),
    "torch.nn": frozenset({"Module", "Sequential", "DataParallel", "Linear", "Conv2d"}),
    "torch": frozenset({"nn", "optim", "utils"}),
}  # fmt: skip
"""What a star import of these brings, as far as the rules care."""

MODEL_BASES = frozenset({
    "torch.nn.Module", "torch.nn.modules.module.Module", "torch.nn.modules.Module", "torch.nn.Sequential",
    "pytorch_lightning.LightningModule", "lightning.LightningModule", "lightning.pytorch.LightningModule",
    "transformers.PreTrainedModel",
})  # fmt: skip
MODEL_MAKERS = frozenset({
    "torch.nn.Sequential", "torch.hub.load", "timm.create_model", "torch.nn.Transformer", "torch.nn.LSTM",
    "ultralytics.YOLO", "sentence_transformers.SentenceTransformer", "clip.load", "open_clip.create_model",
    "open_clip.create_model_and_transforms", "torch.nn.GRU", "torch.nn.Linear", "torch.nn.ModuleList",
    "torch.jit.load", "torchvision.models.get_model",
})  # fmt: skip
MODEL_PACKAGES = (
    "torchvision.models.", "segmentation_models_pytorch.", "efficientnet_pytorch.", "monai.networks.nets.",
    "torchaudio.models.", "torch_geometric.nn.models.", "timm.models.",
)  # fmt: skip

WHOLE_READERS = frozenset({
    "numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap", "pickle.load",
    "pickle.loads", "joblib.load", "scipy.io.loadmat", "pandas.read_csv", "pandas.read_parquet",
    "pandas.read_hdf", "pandas.read_feather", "pandas.read_pickle", "pandas.read_table", "pandas.read_excel",
    "pandas.read_json", "cPickle.load", "_pickle.load", "dill.load", "hickle.load", "mat73.loadmat",
    "numpy.frombuffer", "polars.read_csv", "polars.read_parquet", "tifffile.imread",
})  # fmt: skip
"""What reads a whole file into memory, whatever its size."""

UNPICKLERS = frozenset({
    "pickle.load", "pickle.loads", "joblib.load", "cPickle.load", "_pickle.load", "dill.load", "pandas.read_pickle",
})  # fmt: skip
"""Those of them that may give anything, a dict of names as well as an array."""

ITEM_READERS = frozenset({
    "cv2.imread", "PIL.Image.open", "Image.open", "imageio.imread", "imageio.v2.imread", "imageio.v3.imread",
    "skimage.io.imread", "matplotlib.pyplot.imread", "matplotlib.image.imread", "tifffile.imread",
    "torchvision.io.read_image", "torchaudio.load", "librosa.load", "librosa.core.load", "soundfile.read",
    "scipy.io.wavfile.read", "nibabel.load", "SimpleITK.ReadImage", "rasterio.open", "h5py.File", "pydicom.dcmread",
    "pydicom.read_file", "numpy.load", "cv2.VideoCapture", "decord.VideoReader", "lmdb.open", "zarr.open",
    "torchvision.datasets.folder.default_loader", "torchvision.datasets.folder.pil_loader",
    "torchvision.io.read_video", "laspy.read", "trimesh.load", "open3d.io.read_point_cloud", "cv2.imdecode",
})  # fmt: skip
"""What reads one sample."""

SAMPLE_AT: Mapping[str, int] = {
    "scipy.io.wavfile.read": 1, "soundfile.read": 0, "librosa.load": 0, "librosa.core.load": 0, "torchaudio.load": 0,
}  # fmt: skip
"""Where the sample stands in the tuple that some of those give."""

MAKERS: Mapping[str, int | None] = {
    "numpy.random.rand": None, "numpy.random.randn": None, "numpy.zeros": 0, "numpy.ones": 0, "numpy.empty": 0,
    "numpy.full": 0, "numpy.random.random": 0, "numpy.random.random_sample": 0, "numpy.random.uniform": 2,
    "numpy.random.normal": 2, "numpy.random.randint": 2, "numpy.random.standard_normal": 0,
    "numpy.random.choice": 1, "numpy.random.sample": 0,
}  # fmt: skip
"""What makes an array, and at which position the shape stands (None: every argument is an extent)."""

COLLECTIONS = frozenset({
    "builtins.dict", "builtins.list", "builtins.set", "collections.defaultdict", "collections.OrderedDict",
    "collections.Counter", "collections.deque", "numpy.zeros", "numpy.ones", "numpy.full", "numpy.empty", "json.load",
    "json.loads", "yaml.safe_load", "pickle.load", "builtins.sorted",
})  # fmt: skip
"""What gives a container of this process alone."""

HANDLES = frozenset({
    "PIL.Image.open", "Image.open", "h5py.File", "cv2.VideoCapture", "nibabel.load", "lmdb.open", "zarr.open",
    "decord.VideoReader", "rasterio.open", "laspy.read",
})  # fmt: skip
"""Those that only open the file: nothing is in memory until something else reads it."""

WRAPPERS = frozenset({
    "numpy.array", "numpy.asarray", "numpy.stack", "numpy.concatenate", "numpy.vstack", "numpy.hstack",
    "numpy.ascontiguousarray", "numpy.expand_dims", "numpy.transpose", "numpy.moveaxis", "numpy.float32",
    "numpy.uint8", "numpy.squeeze", "numpy.reshape", "numpy.pad", "numpy.clip", "numpy.log1p", "numpy.log",
    "numpy.nan_to_num", "numpy.swapaxes", "numpy.repeat", "numpy.tile", "builtins.list", "builtins.tuple",
    "builtins.dict", "builtins.sorted", "pandas.DataFrame", "pandas.concat", "cv2.cvtColor", "cv2.resize",
    "SimpleITK.GetArrayFromImage", "SimpleITK.GetArrayViewFromImage",
})  # fmt: skip
"""What gives back about as many bytes as its first argument."""

KEEPING_METHODS = frozenset({
    "astype", "reshape", "transpose", "copy", "to_numpy", "swapaxes", "squeeze", "get_fdata", "convert", "repeat",
    "reset_index", "dropna", "groupby", "filter", "sort_values", "drop", "merge", "set_index", "fillna", "sample",
    "to_dict", "tolist", "resize", "get_array", "crop",
})  # fmt: skip
"""Methods whose result is about as large as the object."""

SCALING_METHODS = frozenset({"transform", "fit_transform", "inverse_transform"})
"""Methods of scalers, whose result is about as large as their argument."""

DTYPES: Mapping[str, int] = {
    "uint8": 1, "int8": 1, "bool": 1, "bool_": 1, "float16": 2, "int16": 2, "uint16": 2, "half": 2, "float32": 4,
    "int32": 4, "uint32": 4, "single": 4, "float64": 8, "int64": 8, "uint64": 8, "double": 8, "float": 8, "int": 8,
    "complex64": 8, "complex128": 16, "f4": 4, "f8": 8, "u1": 1, "i4": 4, "i8": 8,
}  # fmt: skip
"""Bytes per element."""

ADDERS = frozenset({"append", "add", "insert", "extend", "update", "setdefault", "appendleft", "put"})
"""Methods that put something into a container."""

OBJECT_READERS = frozenset({
    "json.load", "json.loads", "csv.reader", "csv.DictReader", "jsonlines.open", "ujson.load", "orjson.loads",
})  # fmt: skip
"""What gives Python objects, as many as a file has."""

OBJECT_METHODS = frozenset({"tolist", "to_list", "to_dict", "readlines", "splitlines", "iterrows", "itertuples"})
"""Methods that do so."""

GENERATORS = frozenset({
    "numpy.random.default_rng", "numpy.random.Generator", "numpy.random.RandomState", "random.Random",
    "torch.Generator", "albumentations.Compose",
})  # fmt: skip
"""What makes a random generator of its own, or holds one: nobody seeds these for each worker."""

STEADY_ALBUMENTATIONS = frozenset({
    "Compose", "Sequential", "Resize", "SmallestMaxSize", "LongestMaxSize", "CenterCrop", "Crop", "Normalize",
    "PadIfNeeded", "Pad", "ToFloat", "FromFloat", "ToTensorV2", "ToTensor3D", "NoOp", "Lambda", "BboxParams",
    "KeypointParams",
})  # fmt: skip
"""Classes of albumentations that draw no number, unless they are given a probability below 1."""

OLD_ALBUMENTATIONS = frozenset({
    "Cutout", "JpegCompression", "RandomBrightness", "RandomContrast", "ToTensor", "Flip", "imgaug",
    "IAAAdditiveGaussianNoise", "IAAAffine", "IAACropAndPad", "IAAEmboss", "IAAFliplr", "IAAFlipud", "IAAPerspective",
    "IAAPiecewiseAffine", "IAASharpen", "IAASuperpixels",
})  # fmt: skip
"""What albumentations had when its transforms drew from the global generators (before 1.4.21), and dropped since."""

OLD_ALBUMENTATIONS_KEYWORDS = frozenset({
    "always_apply", "max_holes", "max_height", "max_width", "min_holes", "var_limit", "quality_lower", "alpha_affine",
    "fill_value", "mask_fill_value",
})  # fmt: skip
"""Arguments of those days."""

LIBRARIES = frozenset(
    name.partition(".")[0]
    for names in (LOADERS, DATASETS, DATASET_PACKAGES, KEEPERS, MODEL_BASES, MODEL_MAKERS, MODEL_PACKAGES)
    for name in names
) | {"numpy", "cv2", "PIL", "pandas", "h5py", "lightning_fabric"}
"""Packages that are told apart by their names here, and so are never looked for in the project."""


def is_dataset_name(name: str) -> bool:
    """Whether an imported class is known to be a dataset of torch or its relatives."""
    return name in DATASETS or name.startswith(DATASET_PACKAGES)
