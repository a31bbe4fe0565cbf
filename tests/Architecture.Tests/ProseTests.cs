using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>
/// README, docs and man pages are plain technical English as far as a machine can see it: short sentences and the field's words
/// (CONTRIBUTING.md, "Language").
/// </summary>
public class ProseTests
{
    private const int MostWords = 25;

    /// <summary>What not to write, and what to write instead.</summary>
    private static readonly (Regex Word, string Instead)[] Banned =
    [
        .. new (string Word, string Instead)[]
        {
            ("go(es|ing)? on", "continue"),
            ("(has|have|had) left|is gone|are gone", "exited"),
            ("takes? back|taken back", "roll back"),
            ("as ever", "by default"),
            ("the former|the latter", "the noun"),
            ("in place of", "instead of"),
            ("beside", "next to"),
            ("meanwhile|in between", "in the meantime"),
            ("by (itself|themselves)", "automatically"),
            ("nobody|no one", "unknown, not"),
            ("whom", "the noun"),
            ("not to be had|not taken", "rejected"),
            ("(speak|hear)s?", "use, accept"),
            ("gives? way", "exit"),
            ("(?<!there )(is|are) no [a-z]+", "is not a"),
            ("(?<!(twice|times) )as long as", "while"),
            ("will", "the present tense"),
            ("please|simply|easily|obviously|of course|basically|actually|really|very", "nothing"),
            ("seamless(ly)?|powerful|robust|blazing|leverages?|utili[sz]es?|effortless(ly)?", "a fact"),
            ("in order to", "to"),
            ("e\\.g\\.|i\\.e\\.", "for example, that is"),
        }
        .Select(row => (new Regex($@"\b(?:{row.Word})(?!\w)", RegexOptions.IgnoreCase), row.Instead)),
    ];

    public static TheoryData<string> Pages =>
    [
        .. new[] { "README.md", "CONTRIBUTING.md", "SECURITY.md" }
            .Concat(Repository.Files("docs", "*.md"))
            .Concat(Repository.Files("packaging/examples", "*.md"))
            .Concat(Repository.Files("packaging/man", "*.[158]")),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_has_short_sentences_and_plain_words(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root(), page));
        var sentences = page.EndsWith(".md", StringComparison.Ordinal) ? Sentence.OfMarkdown(text) : Sentence.OfManPage(text);
        var objections = sentences.SelectMany(Objections).ToArray();
        Assert.True(objections.Length == 0, string.Join('\n', objections));
    }

    [Theory]
    [InlineData("One two. `a b` three: four", 3)]
    [InlineData("- one\n- two\n\n| a | b |\n| --- | --- |\n", 6)]
    [InlineData("text\n```sh\nnot a sentence; at all\n```\n", 1)]
    public void Sentences_are_found_in_markdown(string page, int count) => Assert.Equal(count, Sentence.OfMarkdown(page).Count());

    [Fact]
    public void A_bad_sentence_is_found()
    {
        var words = string.Join(' ', Enumerable.Repeat("word", MostWords + 1));
        Assert.Equal(4, Sentence.OfMarkdown($"Please go on; then; stop.\n\n{words}").SelectMany(Objections).Count());
    }

    private static IEnumerable<string> Objections(Sentence sentence)
    {
        if (sentence.Words > MostWords)
        {
            yield return $"{sentence.Words} words: {sentence.Text}";
        }

        if (!sentence.InTable && sentence.Text.Count(letter => letter == ';') > 1)
        {
            yield return $"a chain of semicolons: {sentence.Text}";
        }

        foreach (var (word, instead) in Banned)
        {
            if (word.Match(sentence.Text) is { Success: true } match)
            {
                yield return $"\"{match.Value}\", use: {instead}: {sentence.Text}";
            }
        }
    }
}
