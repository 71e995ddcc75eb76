"""MedMNIST's two-dimensional data sets as rows: name, licence, caution, classes in label order.

Source: the INFO table of the `medmnist` package, version 3.0.2 (Yang et al. 2023,
doi:10.1038/s41597-022-01721-8). Class names longer than a table's column were shortened; the
package's own stand beside them. The package itself would bring scikit-image along.
"""

from __future__ import annotations

_LESIONS = (
    "DermaMNIST is HAM10000 split picture by picture: lesions are in two parts, and scores are too "
    "good (Abhishek et al. 2025, Investigating the quality of DermaMNIST and Fitzpatrick17k)."
)
_ORGANS = {
    name: name
    for name in (
        "bladder",
        "femur-left",
        "femur-right",
        "heart",
        "kidney-left",
        "kidney-right",
        "liver",
        "lung-left",
        "lung-right",
        "pancreas",
        "spleen",
    )
}
# By the file's stem: name, licence, caution, the package's name of each class by the short one.
MEDMNIST_ROWS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "pathmnist": (
        "PathMNIST",
        "CC BY 4.0",
        "",
        {
            "adipose": "adipose",
            "background": "background",
            "debris": "debris",
            "lymphocytes": "lymphocytes",
            "mucus": "mucus",
            "smooth muscle": "smooth muscle",
            "normal mucosa": "normal colon mucosa",
            "stroma": "cancer-associated stroma",
            "carcinoma": "colorectal adenocarcinoma epithelium",
        },
    ),
    "dermamnist": (
        "DermaMNIST",
        "CC BY-NC 4.0",
        _LESIONS,
        {
            "actinic keratosis": "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma": "basal cell carcinoma",
            "benign keratosis": "benign keratosis-like lesions",
            "dermatofibroma": "dermatofibroma",
            "melanoma": "melanoma",
            "melanocytic nevus": "melanocytic nevi",
            "vascular lesion": "vascular lesions",
        },
    ),
    "octmnist": (
        "OCTMNIST",
        "CC BY 4.0",
        "",
        {
            "CNV": "choroidal neovascularization",
            "DME": "diabetic macular edema",
            "drusen": "drusen",
            "normal": "normal",
        },
    ),
    "pneumoniamnist": (
        "PneumoniaMNIST",
        "CC BY 4.0",
        "",
        {
            "normal": "normal",
            "pneumonia": "pneumonia",
        },
    ),
    "breastmnist": (
        "BreastMNIST",
        "CC BY 4.0",
        "",
        {
            "malignant": "malignant",
            "benign": "normal, benign",
        },
    ),
    "bloodmnist": (
        "BloodMNIST",
        "CC BY 4.0",
        "",
        {
            "basophil": "basophil",
            "eosinophil": "eosinophil",
            "erythroblast": "erythroblast",
            "immature granulocyte": "immature granulocytes"
            "(myelocytes, metamyelocytes and promyelocytes)",
            "lymphocyte": "lymphocyte",
            "monocyte": "monocyte",
            "neutrophil": "neutrophil",
            "platelet": "platelet",
        },
    ),
    "tissuemnist": (
        "TissueMNIST",
        "CC BY 4.0",
        "",
        {
            "collecting duct": "Collecting Duct, Connecting Tubule",
            "distal tubule": "Distal Convoluted Tubule",
            "glomerular endothelium": "Glomerular endothelial cells",
            "interstitial endothelium": "Interstitial endothelial cells",
            "leukocytes": "Leukocytes",
            "podocytes": "Podocytes",
            "proximal tubule": "Proximal Tubule Segments",
            "thick limb": "Thick Ascending Limb",
        },
    ),
    "organamnist": ("OrganAMNIST", "CC BY 4.0", "", _ORGANS),
    "organcmnist": ("OrganCMNIST", "CC BY 4.0", "", _ORGANS),
    "organsmnist": ("OrganSMNIST", "CC BY 4.0", "", _ORGANS),
}

# By the file's stem: why the data set can't be used here.
REFUSED = {
    "chestmnist": "gives a picture several labels at once",
    "retinamnist": "has grades in an order instead of classes",
    "organmnist3d": "holds volumes instead of pictures",
    "nodulemnist3d": "holds volumes instead of pictures",
    "adrenalmnist3d": "holds volumes instead of pictures",
    "fracturemnist3d": "holds volumes instead of pictures",
    "vesselmnist3d": "holds volumes instead of pictures",
    "synapsemnist3d": "holds volumes instead of pictures",
}
