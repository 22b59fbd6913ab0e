export default { serverExternalPackages: ["manywire"] };
