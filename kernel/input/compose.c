/*
 * Accents and composed characters. The letters are those of Unicode's first plane that are one
 * character with their accent; the pairs are those of X11 that people use.
 */
#include "compose.h"

struct accent {
	keysym_t alone;
	const keysym_t *pairs; /* base and what becomes of it, and so on; ends with 0 */
};

static const struct accent accents[DEAD_KEYS] = {
	[DEAD_GRAVE] = {0x0060, u" `"
				u"aàeèiìnǹoòuùwẁyỳAÀEÈIÌNǸOÒUÙWẀYỲ"},
	[DEAD_ACUTE] = {0x00b4, u" '"
				u"aácćeégǵiíkḱlĺmḿnńoópṕrŕsśuúwẃyýzźAÁCĆEÉGǴIÍKḰLĹMḾNŃOÓPṔ"
				u"RŔSŚUÚWẂYÝZŹ"},
	[DEAD_CIRCUMFLEX] = {0x005e, u" ^"
				     u"aâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷzẑAÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶZẐ"},
	[DEAD_TILDE] = {0x007e, u" ~"
				u"aãeẽiĩnñoõuũvṽyỹAÃEẼIĨNÑOÕUŨVṼYỸ"},
	[DEAD_DIAERESIS] = {0x00a8, u" \""
				    u"aäeëhḧiïoötẗuüwẅxẍyÿAÄEËHḦIÏOÖUÜWẄXẌYŸ"},
	[DEAD_CEDILLA] = {0x00b8, u" ¸"
				  u"cçdḑeȩgģhḩkķlļnņrŗsştţCÇDḐEȨGĢHḨKĶLĻNŅRŖSŞTŢ"},
	[DEAD_MACRON] = {0x00af, u" ¯"
				 u"aāeēgḡiīoōuūyȳAĀEĒGḠIĪOŌUŪYȲ"},
	[DEAD_BREVE] = {0x02d8, u" ˘"
				u"aăeĕgğiĭoŏuŭAĂEĔGĞIĬOŎUŬ"},
	[DEAD_ABOVE_DOT] = {0x02d9, u" ˙"
				    u"aȧbḃcċdḋeėfḟgġhḣmṁnṅoȯpṗrṙsṡtṫwẇxẋyẏzżAȦBḂCĊDḊEĖFḞGĠHḢIİ"
				    u"MṀNṄOȮPṖRṘSṠTṪWẆXẊYẎZŻ"},
	[DEAD_ABOVE_RING] = {0x00b0, u" °"
				     u"aåuůwẘyẙAÅUŮ"},
	[DEAD_DOUBLE_ACUTE] = {0x02dd, u" ˝"
				       u"oőuűOŐUŰ"},
	[DEAD_CARON] = {0x02c7, u" ˇ"
				u"aǎcčdďeěgǧhȟiǐjǰkǩlľnňoǒrřsštťuǔzžAǍCČDĎEĚGǦHȞIǏKǨLĽNŇOǑ"
				u"RŘSŠTŤUǓZŽ"},
	[DEAD_OGONEK] = {0x02db, u" ˛"
				 u"aąeęiįoǫuųAĄEĘIĮOǪUŲ"},
	[DEAD_BELOW_DOT] = {0x002e, u" ."
				    u"aạbḅdḍeẹhḥiịkḳlḷmṃnṇoọrṛsṣtṭuụvṿwẉyỵzẓAẠBḄDḌEẸHḤIỊKḲLḶMṂ"
				    u"NṆOỌRṚSṢTṬUỤVṾWẈYỴZẒ"},
	[DEAD_STROKE] = {0x002f, u" /"
				 u"bƀdđgǥhħiɨlłoøtŧuʉzƶBɃDĐGǤHĦIƗLŁOØTŦUɄZƵ"},
};

/* What stands for an accent behind Compose. */
static const struct {
	keysym_t character;
	enum dead_key dead;
} accent_characters[] = {
	{u'\'', DEAD_ACUTE},     {u'`', DEAD_GRAVE},      {u'^', DEAD_CIRCUMFLEX},
	{u'~', DEAD_TILDE},      {u'"', DEAD_DIAERESIS},  {u',', DEAD_CEDILLA},
	{u'-', DEAD_MACRON},     {u'_', DEAD_MACRON},     {u'.', DEAD_ABOVE_DOT},
	{u'o', DEAD_ABOVE_RING}, {u'*', DEAD_ABOVE_RING}, {u'=', DEAD_DOUBLE_ACUTE},
	{u'<', DEAD_CARON},      {u';', DEAD_OGONEK},     {u'!', DEAD_BELOW_DOT},
	{u'/', DEAD_STROKE},
};

/* Two characters and what they make. */
static const keysym_t others[] =
	u"aaåAAÅaeæAEÆoeœOEŒssßthþTHÞdhðDHÐe=€E=€c=€l-£L-£y=¥Y=¥c/¢c|¢co©CO©"
	u"oc©ro®or®so§os§p!¶+-±xx×-:÷12½14¼34¾1^¹2^²3^³o_ºa_ª<<«>>»!!¡"
	u"?\?¿/uµ..…->→<-←tm™oo°.^·--–*0°";

keysym_t compose_accent(enum dead_key dead)
{
	return accents[dead].alone;
}

keysym_t compose_dead(enum dead_key dead, keysym_t base)
{
	for (const keysym_t *pair = accents[dead].pairs; *pair; pair += 2) {
		if (pair[0] == base)
			return pair[1];
	}
	return 0;
}

static keysym_t compose_in_order(keysym_t first, keysym_t second)
{
	for (const keysym_t *triple = others; *triple; triple += 3) {
		if (triple[0] == first && triple[1] == second)
			return triple[2];
	}
	for (size_t i = 0; i < ARRAY_SIZE(accent_characters); i++) {
		keysym_t made = 0;

		if (accent_characters[i].character == first)
			made = compose_dead(accent_characters[i].dead, second);
		if (made)
			return made;
	}
	return 0;
}

keysym_t compose_pair(keysym_t first, keysym_t second)
{
	keysym_t made = compose_in_order(first, second);

	return made ? made : compose_in_order(second, first);
}
