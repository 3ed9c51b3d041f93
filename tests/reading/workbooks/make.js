// The workbooks beside this, as SheetJS writes them: npm install xlsx@0.18.5 && node make.js
const XLSX = require("xlsx");

const header = ["房屋编号", "身份证号", "户主姓名", "鉴定等级", "鉴定时间", "建筑面积", "地址"];
const rows = [
  ["FW000001", "610921197001011016", "测甲", "A", "2026-05-03", "96", "青溪镇"],
  ["FW000002", "61092119700202103X", "测乙", "B", "2026-05-04", "88.5", "石门镇，一组"],
  ["FW000003", "610921197003031053", "测　丙", "C", null, null, null],
];

function write(name, bookType, table, merges) {
  const sheet = XLSX.utils.aoa_to_sheet(table);
  sheet["!merges"] = merges.map(XLSX.utils.decode_range);
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, sheet, "台账");
  XLSX.writeFile(book, name, { bookType });
}

for (const type of ["xlsb", "ods"]) {
  write(`plain.${type}`, type, [header, ...rows], []);
  write(`merged.${type}`, type, [header, ...rows], ["G2:G3", "C4:D4"]);
}
const days = rows.map((row, n) => [...row.slice(0, 4), [44130, 2021, null][n], ...row.slice(5)]);
write("days.xlsb", "xlsb", [header, ...days], []);
write("plain.xls", "biff8", [header, ...rows], []);

// of 1995, in letters that it has; one cell is #N/A
const houses = [["FW000001", "A", 96], ["FW000002", "B", 88.5]];
const old = XLSX.utils.aoa_to_sheet([["house", "grade", "area"], ...houses]);
old["C3"] = { t: "e", v: 0x2a };
const book = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(book, old, "Sheet1");
XLSX.writeFile(book, "of-1995.xls", { bookType: "biff5" });
