using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>Each promise to users names tests that prove it, and these tests exist.</summary>
public partial class GuaranteeTests
{
    private static readonly string Root = Repository.Root();

    [Theory]
    [InlineData("docs/reference/guarantees.md", 30)]
    [InlineData("docs/explanation/threat-model.md", 15)]
    [InlineData("SECURITY.md", 5)]
    public void Each_promise_names_a_test_that_exists(string page, int atLeast)
    {
        var rows = Rows(page).ToArray();
        Assert.True(rows.Length >= atLeast, $"{page} has {rows.Length} rows with tests");
        var wrong = rows.SelectMany(row => Proofs(row) is { Length: > 0 } proofs
            ? proofs.Where(proof => !Exists(proof)).Select(proof => $"{page}: there is no test {proof}")
            : [$"{page}: no test proves: {row}"]);
        Assert.Equal([], wrong);
    }

    /// <summary>The rows of the tables whose last column is "test". Another page may prove a row, and a fact needs no test.</summary>
    private static IEnumerable<string> Rows(string page)
    {
        var isProven = false;
        foreach (var line in File.ReadLines(Path.Combine(Root, page)))
        {
            isProven = line.EndsWith("| test |", StringComparison.Ordinal) || (isProven && line.StartsWith('|'));
            if (isProven && !line.EndsWith("| test |", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal)
                && !line.EndsWith("| yes | |", StringComparison.Ordinal) && !LinkedProof().IsMatch(line))
            {
                yield return line;
            }
        }
    }

    private static string[] Proofs(string row) =>
        [.. Proof().Matches(row.TrimEnd('|', ' ').Split('|')[^1]).Select(match => match.Groups[1].Value)];

    private static bool Exists(string proof)
    {
        var (suite, name) = (proof.Split('/')[0], proof[(proof.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        var folder = Path.Combine(Root, "tests", suite);
        return suite switch
        {
            "Field" or "Release" when File.Exists(Path.Combine(folder, $"{name}.case")) => true,
            "Systemd" => IsScenario(File.ReadAllText(Path.Combine(folder, "scenarios.py")), name),
            "Packaging" or "Release" => File.ReadAllText(Path.Combine(folder, "run")).Contains($"\"ok {name}", StringComparison.Ordinal),
            "Field" => false,
            _ => Directory.Exists(folder) && IsTest(suite, name.Split('.')),
        };
    }

    /// <summary>A function of this name that the bench runs.</summary>
    private static bool IsScenario(string bench, string name) =>
        bench.Contains($"\ndef {name}():", StringComparison.Ordinal)
        && Regex.IsMatch(bench[bench.IndexOf("\nSCENARIOS", StringComparison.Ordinal)..].Split(']')[0], $@"\b{name}\b");

    /// <summary>A class with tests, or one test of it.</summary>
    private static bool IsTest(string suite, string[] name) => Repository.Sources($"tests/{suite}")
        .Where(file => Path.GetFileNameWithoutExtension(file) == name[0])
        .SelectMany(file => Test().Matches(File.ReadAllText(file)))
        .Any(match => name.Length == 1 || match.Groups[1].Value == name[1]);

    [GeneratedRegex("`([A-Z][A-Za-z.]+/[^`]+)`")]
    private static partial Regex Proof();

    /// <summary>The last column is a link to the tests of another page.</summary>
    [GeneratedRegex(@"\| \[[^]]*\]\([^)]*#promises-and-their-tests\) \|$")]
    private static partial Regex LinkedProof();

    [GeneratedRegex(@"\[(?:Fact|Theory)\](?s:.*?)public (?:static )?(?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex Test();
}
